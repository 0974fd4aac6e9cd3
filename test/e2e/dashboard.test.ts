/**
 * The dashboard in a real browser against a real platform: the first administrator comes in by the one-time link, starts a
 * run from the page and watches it finish; every page shows what there is, in both themes, without a fault that axe finds.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEphemeral, destroyEphemeral } from '../../src/platform/ephemeral.js';
import { adminLinkFile } from '../../src/platform/services/dashboard.js';
import { readSettings } from '../../src/platform/settings.js';
import { startPlatform } from '../../src/platform/start.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { chromiumPath, openBrowser } from '../support/browser.js';
import { datalab, type Environment } from '../support/worker-process.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const PASSWORD = 'a long enough password';
/** Set: a picture of each page goes there. */
const PICTURES = process.env['DATALAB_PICTURES'];

interface AxeResult {
  readonly id: string;
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>;
}

describe.skipIf(chromiumPath === undefined)('the dashboard in Chromium', () => {
  let ephemeral: Environment;
  let env: Environment;
  let url: string;
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  const calls: string[] = [];

  beforeAll(async () => {
    ephemeral = { ...(await createEphemeral()), DATALAB_MLFLOW_ENABLED: 'false' };
    const { outcomes } = await startPlatform(
      { ...process.env, ...ephemeral },
      { only: ['temporal', 's3', 'kafka', 'worker', 'dashboard'] },
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    const settings = readSettings({ ...process.env, ...ephemeral });
    env = { ...settings.env, ...ephemeral };
    expect((await datalab(['schedules', 'apply'], env)).code).toBe(0);
    url = `http://127.0.0.1:${settings.ports.dashboard}`;
    browser = await openBrowser();
    page = await (
      await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB' })
    ).newPage();
    page.on('console', (message) => {
      // The test's own look into the report: nothing runs in that frame, which is how it should be.
      if (message.type() === 'error' && !/api\/reports.*sandboxed/.test(message.text()))
        complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => calls.push(request.url()));
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await destroyEphemeral(ephemeral ?? {});
  }, 90_000);

  const violations = async (): Promise<string[]> => {
    // The page's policy forbids scripts that are not its own; the debugger's evaluation is not under it.
    await page.evaluate(AXE);
    const found = (await page.evaluate(
      `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then(({ violations }) => violations)`,
    )) as AxeResult[];
    return found.map(
      ({ id, nodes }) => `${page.url()} ${id}: ${nodes[0]?.failureSummary ?? ''} ${nodes[0]?.html ?? ''}`,
    );
  };
  const picture = async (name: string): Promise<void> => {
    if (!PICTURES) return;
    mkdirSync(PICTURES, { recursive: true });
    await page.screenshot({ path: path.join(PICTURES, `${name}.png`), fullPage: true });
  };

  it('lets nobody in without a user, and the first administrator by a link that works once', async () => {
    const refused = await fetch(`${url}/api/runs`);
    expect(refused.status).toBe(401);
    await page.goto(url);
    await page.getByText('No user yet').waitFor();
    const link = readFileSync(adminLinkFile(readSettings({ ...process.env, ...ephemeral })), 'utf8').trim();
    await page.goto(link);
    await page.getByLabel('Name').fill('ana');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Create administrator' }).click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    complaints.length = 0;
    const token = link.split('#')[1];
    const again = await fetch(`${url}/api/welcome`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, name: 'eve', password: PASSWORD }),
    });
    expect(again.status).toBe(403);
  });

  it('starts a run from the page and shows it finish, without a reload', async () => {
    await page.goto(`${url}/runs`);
    await page.getByRole('button', { name: 'Start a run' }).click();
    await page.getByRole('dialog').getByLabel('Dataset').selectOption('stocks');
    await page.getByRole('dialog').getByRole('button', { name: 'Start a run' }).click();
    await page.waitForURL('**/runs/medallion-etl-stocks-*/*');
    await page.locator('h1 + .badge', { hasText: /^ok$/ }).waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'bronze.stocks' }).waitFor();
    expect(await page.locator('.gantt .lane').count()).toBeGreaterThan(5);
    await picture('run');
    await page.getByRole('tab', { name: 'Checks' }).click();
    await page.getByRole('cell', { name: /score/ }).first().waitFor();
    await page.getByRole('tab', { name: 'Log' }).click();
    await page.locator('.log .line').first().waitFor();
    await page.getByRole('tab', { name: 'Report' }).click();
    await page.frameLocator('iframe.report').locator('h1').waitFor();
    expect(complaints).toEqual([]);
  }, 200_000);

  it('shows every page with data, in both themes and both languages, and axe finds nothing', async () => {
    expect((await datalab(['monitoring', 'run'], env)).stderr).toBe('');
    const pages = [
      '',
      'runs',
      'flows',
      'lake',
      'lake/gold.daily_prices',
      'quality',
      'lineage',
      'alerts',
      'services',
      'access',
      'models',
      'maintenance',
    ];
    const found: string[] = [];
    const tables = (await page.evaluate(`fetch('/api/tables?layer=gold').then((r) => r.json())`)) as {
      value: { rows: Array<{ name: string }> };
    };
    const gold = tables.value.rows[0]?.name ?? '';
    for (const theme of ['light', 'dark'] as const) {
      await page.evaluate(`localStorage.setItem('datalab.theme', '${theme}')`);
      await page.evaluate(
        `localStorage.setItem('datalab.language', '${theme === 'light' ? 'en' : 'pt-BR'}')`,
      );
      for (const name of pages) {
        await page.goto(`${url}/${name.startsWith('lake/') ? `lake/${gold}` : name}`);
        await page.locator('main h1').waitFor();
        await page.waitForTimeout(1500);
        found.push(...(await violations()));
        await picture(`${name.split('/').join('-') || 'overview'}-${theme}`);
      }
    }
    expect(found).toEqual([]);
    expect(complaints).toEqual([]);
    // Everything comes from the dashboard itself.
    expect(calls.filter((call) => !call.startsWith(url) && !/^(data|blob):/.test(call))).toEqual([]);
  }, 240_000);

  it('answers SQL, pauses a schedule, and keeps both in the audit log', async () => {
    await page.evaluate(`localStorage.setItem('datalab.language', 'en')`);
    await page.goto(`${url}/lake`);
    await page.getByLabel('One SELECT over').fill('SELECT count(*) AS n FROM silver.stocks');
    await page.getByRole('button', { name: 'Run (Ctrl+Enter)' }).click();
    await page.getByRole('columnheader', { name: 'n', exact: true }).waitFor({ timeout: 60_000 });
    await page.goto(`${url}/flows`);
    const daily = page.locator('section', { has: page.locator('#medallion-etl-daily') });
    await daily.getByRole('button', { name: 'Pause', exact: true }).click();
    await daily.getByText('paused').first().waitFor();
    const listed = JSON.parse((await datalab(['schedules', 'list', '--json'], env)).stdout) as Array<{
      id: string;
      paused: boolean;
    }>;
    expect(listed.find(({ id }) => id === 'medallion-etl-daily')?.paused).toBe(true);
    await page.goto(`${url}/access`);
    await page.getByRole('cell', { name: 'pause schedule' }).waitFor();
    await page.getByRole('cell', { name: 'start run' }).waitFor();
  });

  it('is usable on a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    for (const name of ['', 'runs', 'flows', 'alerts']) {
      await page.goto(`${url}/${name}`);
      await page.locator('main h1').waitFor();
      expect(await page.evaluate('document.documentElement.scrollWidth'), name).toBeLessThanOrEqual(390);
    }
    await picture('narrow');
    await page.setViewportSize({ width: 1360, height: 900 });
  });

  it('says so when services are gone, and marks what is old', async () => {
    await page.goto(url);
    await page.getByText('Everything answers').waitFor();
    await page.locator('.tile b').first().waitFor();
    await stopPlatform(readSettings({ ...process.env, ...ephemeral }), ['kafka', 'temporal']);
    await page.getByText('services do not answer').waitFor({ timeout: 60_000 });
    await page.locator('.age.stale').first().waitFor({ timeout: 60_000 });
    await picture('services-down');
  }, 150_000);
});
