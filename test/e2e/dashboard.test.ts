/**
 * The dashboard in a real browser against a real platform: the first administrator comes in by the one-time link, starts a
 * run from the page and watches it finish; every page shows what there is, in both themes, without a fault that axe finds.
 */
import { readFileSync } from 'node:fs';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminLinkFile } from '../../src/platform/services/dashboard.js';
import { stopPlatform } from '../../src/platform/stop.js';
import { chromiumPath } from '../support/browser.js';
import { datalab, type Environment } from '../support/worker-process.js';
import { Bench, PAGES, PICTURES } from './dashboard/bench.js';
import { actsOnPeoplesWord } from './dashboard/acts.js';
import { isWalkedByKeyboard } from './dashboard/keyboard.js';
import { remembersWhereItIs } from './dashboard/places.js';

const PASSWORD = 'a long enough password';
const THEMES = ['light', 'dark'] as const;
const LANGUAGES = ['en', 'pt-BR'] as const;

describe.skipIf(chromiumPath === undefined)('the dashboard in Chromium', () => {
  let bench: Bench;
  let env: Environment;
  let url: string;
  let page: Page;
  /** Of the first run, for the pictures. */
  let runAddress = '';
  let complaints: string[];

  beforeAll(async () => {
    bench = await Bench.open();
    ({ env, url, page, complaints } = bench);
  }, 180_000);

  afterAll(async () => bench?.close(), 90_000);

  const picture = (name: string): Promise<void> => bench.picture(name);
  const appear = (theme: string, language: string): Promise<void> => bench.appear(theme, language);

  it('lets nobody in without a user, and the first administrator by a link that works once', async () => {
    const refused = await fetch(`${url}/api/runs`);
    expect(refused.status).toBe(401);
    await page.goto(url);
    await page.getByText('No user yet').waitFor();
    const link = readFileSync(adminLinkFile(bench.settings), 'utf8').trim();
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

  it('shows every page of an empty lake as empty, not as broken', async () => {
    for (const name of PAGES) {
      await page.goto(`${url}/${name}`);
      await page.locator('main h1').waitFor();
    }
    await page.goto(`${url}/lake`);
    await page.getByText('The lake is empty').first().waitFor();
    await page.goto(`${url}/models`);
    await page.getByRole('link', { name: 'next_day_direction' }).waitFor();
    await page.goto(`${url}/maintenance`);
    await page.getByText('No plan yet').waitFor();
    expect(complaints).toEqual([]);
  }, 120_000);

  it('starts a run from the page and shows it finish, without a reload', async () => {
    await page.goto(`${url}/runs`);
    await page.getByRole('button', { name: 'Start a run' }).click();
    await page.getByRole('dialog').getByLabel('Dataset').selectOption('stocks');
    await page.getByRole('dialog').getByRole('button', { name: 'Start a run' }).click();
    await page.waitForURL('**/runs/medallion-etl-stocks-*/*');
    await page.locator('h1 + .badge', { hasText: /^ok$/ }).waitFor({ timeout: 120_000 });
    await page.getByRole('link', { name: 'bronze.stocks' }).waitFor();
    expect(await page.locator('.gantt .lane').count()).toBeGreaterThan(5);
    runAddress = new URL(page.url()).pathname.slice(1);
    await page.getByRole('tab', { name: 'Checks' }).click();
    await page.getByRole('cell', { name: /score/ }).first().waitFor();
    await page.getByRole('tab', { name: 'Log' }).click();
    await page.locator('.log .line').first().waitFor();
    const heading = page.getByRole('heading', { name: /^Log \(/ });
    const lines = async (): Promise<number> => Number(/\d+/.exec(await heading.innerText())?.[0]);
    const all = await lines();
    await page.getByLabel('Log of the step').selectOption('writeBronze');
    await expect.poll(lines).toBeLessThan(all);
    await page.getByLabel('Search the log').fill('started');
    await expect.poll(lines).toBe(1);
    await page.getByRole('tab', { name: 'Report' }).click();
    await page.frameLocator('iframe.report').locator('h1').waitFor();
    expect(complaints).toEqual([]);
  }, 200_000);

  it('trains a model from the page, shows why it was refused, and makes it the champion by hand', async () => {
    await page.goto(`${url}/models/next_day_direction`);
    await page.getByRole('button', { name: 'Train', exact: true }).click();
    await page.waitForURL('**/runs/mlops-training-next_day_direction-*/*');
    await page.locator('h1 + .badge', { hasText: /^ok$/ }).waitFor({ timeout: 120_000 });
    await page.goto(`${url}/models/next_day_direction`);
    await page.getByText('Confusion matrix').waitFor({ timeout: 30_000 });
    await page.locator('section', { hasText: 'Gate' }).getByText('refused').first().waitFor();
    await page.getByRole('button', { name: 'Make champion' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Make champion' }).click();
    await page.waitForURL('**/runs/model-deployment-next_day_direction/*');
    await page.locator('h1 + .badge', { hasText: /^completed$/ }).waitFor({ timeout: 60_000 });
    await page.goto(`${url}/models/next_day_direction`);
    await page.getByText('The model server answers with version 1').waitFor({ timeout: 30_000 });
    await page.getByRole('button', { name: 'Predict', exact: true }).click();
    await page.getByText('answered by the model server, version 1').waitFor();
    await page.getByLabel('symbol').fill('AAPL');
    await page.getByRole('button', { name: 'Predict from newest Gold features' }).click();
    await page.getByText('gold.stocks_daily_features v').last().waitFor();
    expect(complaints).toEqual([]);
  }, 240_000);

  it('tries a run again from a step, and shows what became of it', async () => {
    await page.goto(`${url}/runs?flow=medallionEtl`);
    await page.locator('main tbody a[href^="/runs/"]').first().click();
    await page.getByRole('button', { name: 'Try again…' }).click();
    const before = page.url();
    const gold = page.getByRole('dialog').locator('tr', { hasText: 'writeReport' });
    await gold.getByRole('button', { name: 'From here' }).click();
    await page.waitForURL(({ href }) => href !== before);
    await page.locator('h1 + .badge', { hasText: /^ok$/ }).waitFor({ timeout: 60_000 });
    await page.getByRole('link', { name: 'bronze.stocks' }).waitFor();
    expect(complaints).toEqual([]);
  }, 120_000);

  it('previews a backfill, and starts a flow by a form of its input', async () => {
    await page.goto(`${url}/flows`);
    const daily = page.locator('section', { has: page.locator('#medallion-etl-daily') });
    await daily.getByRole('button', { name: 'Backfill…' }).click();
    await page.getByRole('button', { name: 'Preview' }).click();
    await page.getByRole('button', { name: /Start \d+ runs/ }).waitFor({ timeout: 30_000 });
    expect(await page.locator('dialog[open] .slot').count()).toBeGreaterThan(3);
    await picture('backfill');
    await page.locator('dialog[open]').getByRole('button', { name: 'Cancel' }).click();
    const weekly = page.locator('section', { has: page.locator('#datalake-maintenance-weekly') });
    await weekly.getByRole('button', { name: 'Start with input…' }).click();
    await page
      .getByRole('dialog')
      .getByLabel(/^Dry run/)
      .check();
    await picture('form');
    await page.getByRole('dialog').getByRole('button', { name: 'Start', exact: true }).click();
    await page.waitForURL('**/runs/lake-maintenance-*/*');
    await page.locator('h1 + .badge', { hasText: /^completed$/ }).waitFor({ timeout: 60_000 });
    await page.getByRole('link', { name: 'Report' }).click();
    await page.getByText('Report of').waitFor();
    expect(complaints).toEqual([]);
  }, 120_000);

  it('sets an alert rule, which monitoring then follows, and the command line shows', async () => {
    expect((await datalab(['monitoring', 'run'], env)).stderr).toBe('');
    await page.goto(`${url}/alerts`);
    await page.getByRole('button', { name: 'New rule…' }).click();
    const dialog = page.locator('dialog[open]');
    for (const [label, text] of [
      ['Name', 'table_small'],
      ['Metric', 'table.rows'],
      ['Condition', '< 1000000'],
      ['What it says', '{table} has {value} rows'],
    ] as const)
      await dialog
        .getByRole(label === 'Metric' ? 'combobox' : 'textbox', { name: new RegExp(`^${label}`) })
        .fill(text);
    await dialog.getByRole('button', { name: 'Test on newest sample' }).click();
    await dialog.getByText(/series judged/).waitFor();
    await dialog.getByRole('button', { name: 'Review' }).click();
    await dialog.getByText('What changes').waitFor();
    await picture('rule');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('set by ana').waitFor();
    const listed = JSON.parse((await datalab(['alerts', 'rules', '--json'], env)).stdout) as Array<{
      name: string;
      origin: string;
    }>;
    expect(listed).toContainEqual(expect.objectContaining({ name: 'table_small', origin: 'override' }));
    const cycle = JSON.parse((await datalab(['monitoring', 'run', '--json'], env)).stdout) as {
      findings: Array<{ fingerprint: string }>;
    };
    expect(cycle.findings.some(({ fingerprint }) => fingerprint.startsWith('table_small{'))).toBe(true);
    expect(complaints).toEqual([]);
  }, 120_000);

  it('profiles columns, lists files, and hands SQL results out as files', async () => {
    await page.goto(`${url}/lake/gold.stocks_daily_market?tab=profile`);
    await page.getByRole('button', { name: 'Measure columns' }).click();
    await page.locator('.histogram').first().waitFor({ timeout: 60_000 });
    await picture('profile');
    await page.getByRole('tab', { name: 'Files' }).click();
    await page.getByText('Files by size').waitFor();
    await page.goto(`${url}/lake`);
    await page.getByLabel('One SELECT over').fill('SELECT count(*) AS n FROM silver.stocks');
    await page.getByRole('button', { name: 'Run (Ctrl+Enter)' }).click();
    await page.getByRole('columnheader', { name: 'n', exact: true }).waitFor({ timeout: 60_000 });
    for (const [format, magic] of [
      ['Parquet', 'PAR1'],
      ['Arrow', 'ARROW1'],
      ['CSV', 'n\n'],
    ] as const) {
      const [file] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name: `↓ ${format}` }).click(),
      ]);
      expect(readFileSync(await file.path(), 'latin1').slice(0, magic.length)).toBe(magic);
    }
    expect(complaints).toEqual([]);
  }, 120_000);

  it(
    'shows every page with data, in both themes and both languages, and axe finds nothing',
    async () => {
      const found: string[] = [];
      // Colours do not depend on the language: each theme is looked at in one of them, and pictured in both.
      const looks = THEMES.flatMap((theme, at) =>
        LANGUAGES.filter((_, language) => PICTURES !== undefined || language === at).map(
          (language) => [theme, language] as const,
        ),
      );
      for (const [theme, language] of looks) {
        await appear(theme, language);
        for (const name of [
          ...PAGES,
          'lake/gold.stocks_daily_features',
          'models/next_day_direction',
          runAddress,
        ]) {
          await page.goto(`${url}/${name}`);
          await page.locator('main h1').waitFor();
          const isMeasured = async (): Promise<boolean> =>
            !/Measuring…|Medindo…/.test(await page.locator('main').innerText());
          for (let waited = 0; waited < 20 && !(await isMeasured()); waited++) await page.waitForTimeout(500);
          await page.waitForTimeout(PICTURES ? 2000 : 900);
          found.push(...(await bench.violations()));
          await picture(
            `${name.split('/')[0] || 'overview'}${name.includes('/') ? '-one' : ''}-${theme}-${language}`,
          );
        }
      }
      expect(found).toEqual([]);
      expect(complaints).toEqual([]);
      // Everything comes from the dashboard itself.
      expect(bench.calls.filter((call) => !call.startsWith(url) && !/^(data|blob):/.test(call))).toEqual([]);
    },
    PICTURES === undefined ? 240_000 : 900_000,
  );

  it('pauses a schedule, and keeps what was done in the audit log', async () => {
    await appear('light', 'en');
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
    for (const action of [
      'start run',
      'retry run',
      'train model',
      'promote model',
      'set alert rule',
      'query',
    ])
      await page.getByRole('cell', { name: action, exact: true }).first().waitFor();
  });

  it('resumes a schedule that was paused', async () => {
    await page.goto(`${url}/flows`);
    const daily = page.locator('section', { has: page.locator('#medallion-etl-daily') });
    await daily.getByRole('button', { name: 'Resume', exact: true }).click();
    await daily.getByRole('button', { name: 'Pause', exact: true }).waitFor();
    const listed = JSON.parse((await datalab(['schedules', 'list', '--json'], env)).stdout) as Array<{
      id: string;
      paused: boolean;
    }>;
    expect(listed.find(({ id }) => id === 'medallion-etl-daily')?.paused).toBe(false);
    await page.goto(`${url}/access`);
    await page.getByRole('cell', { name: 'resume schedule' }).waitFor();
    expect(complaints).toEqual([]);
  });

  actsOnPeoplesWord(() => bench);
  remembersWhereItIs(() => bench);
  isWalkedByKeyboard(() => bench);

  it('has its audit log and its log of queries in the lake, for SQL', async () => {
    const counted = async (table: string, where: string): Promise<number> => {
      const sql = `SELECT count(*) AS n FROM meta.${table} WHERE ${where}`;
      const { stdout } = await datalab(['tables', 'query', sql, '--json'], env);
      return Number(/"n":\s*"?(\d+)/.exec(stdout)?.[1] ?? -1);
    };
    // The dashboard hands its log on every few seconds; a cycle of monitoring takes it in.
    await expect
      .poll(
        async () => {
          await datalab(['monitoring', 'run'], env);
          return counted('dashboard_audit', `who = 'ana' AND action = 'pause schedule' AND outcome = 'done'`);
        },
        { timeout: 150_000, interval: 2000 },
      )
      .toBe(1);
    expect(await counted('dashboard_audit', `action = 'query' AND detail <> ''`)).toBe(0);
    // One SELECT, and its three files.
    expect(await counted('queries', `source = 'dashboard' AND table_name = 'silver.stocks'`)).toBe(4);
  }, 240_000);

  it('is usable on a narrow screen', async () => {
    await page.setViewportSize({ width: 390, height: 800 });
    for (const name of ['', 'runs', 'flows', 'alerts', 'lake', 'models/next_day_direction', 'maintenance']) {
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
    await stopPlatform(bench.settings, ['kafka', 'temporal']);
    await page.getByText('services do not answer').waitFor({ timeout: 60_000 });
    await page.locator('.age.stale').first().waitFor({ timeout: 60_000 });
    await picture('services-down');
    await stopPlatform(bench.settings, ['s3', 'mlflow', 'model-server']);
    for (const name of [...PAGES, 'lake/silver.stocks', 'models/next_day_direction']) {
      await page.goto(`${url}/${name}`);
      // The frame stands, and what cannot be measured says so: no page is blank or spins for ever.
      await page.locator('nav').waitFor();
      await page.locator('main h1, main .banner').first().waitFor({ timeout: 60_000 });
    }
  }, 150_000);
});
