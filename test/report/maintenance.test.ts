/** The page of maintenance: what it says, that it stands alone, that no text becomes more than text, and how it looks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderMaintenance } from '../../src/report/index.js';
import { chromiumPath, openBrowser } from '../support/browser.js';
import { maintenanceDocument } from './maintenance-document.js';

const HOSTILE = `</script><script>alert(1)</script><img src=x onerror="alert(2)">'"&amp;\u0000{{x}}\${y}`;

describe('the page of maintenance', () => {
  const page = renderMaintenance(maintenanceDocument('gold.plain'));

  it('lets no text become more than text', () => {
    const hostile = renderMaintenance(maintenanceDocument(HOSTILE));
    expect(hostile).not.toContain('<img src=x');
    expect(hostile).not.toContain('<script>alert');
    expect(hostile).not.toContain('\u0000');
  });

  it('needs no network, and draws numbers only', () => {
    expect(page).not.toMatch(/(src|href)\s*=/);
    expect(page).not.toMatch(/url\(|@import|https?:/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says what was done, what is wrong, what to do, and what changed since last time', () => {
    for (const said of [
      ...[
        'wants attention',
        '610 MB',
        '24 files became 4',
        'worse',
        '2 on 2026-11-14',
        '+300,000 since last time',
      ],
      ...['−460 MB since last time', 'datalab maintenance fsck --repair', 'a run of stocks is in progress'],
      ...['restored 36 tables', '4096 bytes', 'before 0.930'],
    ])
      expect(page).toContain(said);
  });

  it.each([
    [['2026-11-29'], ['Nov 29']],
    [
      ['2026-11-28', '2026-11-29', '2026-12-01'],
      ['Nov 28', 'Nov 29', 'Dec 1'],
    ],
  ])('names the days of %j below what was taken in, and no others', (days, named) => {
    const full = maintenanceDocument('x');
    const few = renderMaintenance({
      ...full,
      usage: {
        ...full.usage,
        ingestion: days.map((day) => ({ day, dataset: 'stocks', rows: 12_154, runs: 1 })),
      },
    });
    const chart = few.slice(few.indexOf('Rows taken in'));
    const ticks = [...chart.slice(0, chart.indexOf('</svg>')).matchAll(/<text[^>]*>([^<]*)</g)].map(
      ([, text]) => text,
    );
    expect(ticks.filter((text) => /^[A-Z][a-z]{2}( \d+)?$|^\d{4}$|^\d{2}:\d{2}$/.test(text ?? ''))).toEqual(
      named,
    );
  });

  it('shows the first measurement at its day, not at its century', () => {
    const full = maintenanceDocument('x');
    const history = full.usage.history.slice(0, 3);
    const first = renderMaintenance({ ...full, usage: { ...full.usage, history, ingestion: [] } });
    const ticks = [...first.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
    expect(ticks).toContain('Oct 3');
    expect(ticks.filter((text) => /^\d{4}$/.test(text ?? ''))).toEqual([]);
  });

  it('is whole where nothing was done and nothing is known', () => {
    const full = maintenanceDocument('x');
    const empty = renderMaintenance({
      ...full,
      ...{ facts: [], unreadable: [], tended: [], audits: [], recommendations: [], previous: null },
      usage: { tables: [], layers: [], ingestion: [], history: [], queries: [] },
      backup: { configured: false, newest: null },
      totals: { ...full.totals, score: null, checks: 0 },
    });
    for (const said of ['Nothing is left to do', 'No table needed anything', 'No place for backups'])
      expect(empty).toContain(said);
    expect(empty).not.toMatch(/NaN|undefined/);
  });
});

describe.skipIf(chromiumPath === undefined)('in a browser (skipped where there is no Chromium)', () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'datalab-report-'));
    writeFileSync(path.join(folder, 'page.html'), renderMaintenance(maintenanceDocument('gold.plain')));
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 420],
  ] as const)('is good to read in %s at %i pixels', async (colorScheme, width) => {
    // The page's own policy lets no other script in; axe has to run in it all the same.
    const context = await browser.newContext({
      colorScheme,
      viewport: { width, height: 900 },
      bypassCSP: true,
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(pathToFileURL(path.join(folder, 'page.html')).href);
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await page.evaluate(axe.source);
    const found = (await page.evaluate('axe.run()')) as {
      violations: Array<{ id: string; nodes: Array<{ html: string }> }>;
    };
    expect(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    expect(errors).toEqual([]);
    const shots = process.env['DATALAB_SCREENSHOTS'];
    if (shots)
      await page.screenshot({
        path: path.join(shots, `maintenance-${colorScheme}-${width}.png`),
        fullPage: true,
      });
    await context.close();
  });
});
