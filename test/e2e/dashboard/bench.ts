/** The one platform, browser and page that every test of the dashboard uses. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { expect } from 'vitest';
import { createEphemeral, destroyEphemeral } from '../../../src/platform/ephemeral.js';
import { readSettings, type Settings } from '../../../src/platform/settings.js';
import { startPlatform } from '../../../src/platform/start.js';
import { openBrowser, pictureOf } from '../../support/browser.js';
import { datalab, PROJECT, type Environment } from '../../support/worker-process.js';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** Set: a picture of each page goes there, in both themes and both languages. */
export const PICTURES = process.env['DATALAB_PICTURES'];
export const PAGES = [
  ...['', 'runs', 'flows', 'lake', 'quality', 'lineage', 'models', 'alerts', 'maintenance', 'services'],
  'access',
];

/** How long to look again and again: machines are shared. */
export const SOON = { timeout: 20_000 };

interface AxeResult {
  readonly id: string;
  readonly nodes: ReadonlyArray<{ readonly html: string; readonly failureSummary?: string }>;
}

export class Bench {
  /** What the browser complained of, and every address that it called. */
  readonly complaints: string[] = [];
  readonly calls: string[] = [];

  private constructor(
    /** What makes any platform command act on this one. */
    readonly ephemeral: Environment,
    readonly env: Environment,
    readonly settings: Settings,
    readonly folder: string,
    readonly browser: Browser,
    readonly page: Page,
  ) {}

  /** A platform with every service, a place for backups, and a model that wants a person's word. */
  static async open(): Promise<Bench> {
    const folder = await mkdtemp(path.join(tmpdir(), 'datalab-dashboard-'));
    await cp(path.join(PROJECT, 'datasets'), path.join(folder, 'datasets'), { recursive: true });
    await wantsApproval(path.join(folder, 'datasets', 'stocks', 'models', 'next_day_volatility.yaml'));
    const config = path.join(folder, 'datalab.yaml');
    await writeFile(
      config,
      `datasets: { directory: '${folder}/datasets' }\nmaintenance: { backup: { uri: 'file://${folder}/backups' } }\n`,
    );
    const ephemeral = { ...(await createEphemeral()), DATALAB_CONFIG: config };
    const { outcomes } = await startPlatform(
      { ...process.env, ...ephemeral },
      { only: ['temporal', 's3', 'kafka', 'mlflow', 'worker', 'model-server', 'dashboard'] },
    );
    expect(outcomes.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    const settings = readSettings({ ...process.env, ...ephemeral });
    const env = { ...settings.env, ...ephemeral };
    expect((await datalab(['schedules', 'apply'], env)).code).toBe(0);
    const browser = await openBrowser();
    const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, locale: 'en-GB' });
    const page = await context.newPage();
    const bench = new Bench(ephemeral, env, settings, folder, browser, page);
    page.on('console', (message) => {
      // The test's own look into the report: nothing runs in that frame, which is how it should be.
      if (message.type() === 'error' && !/api\/reports.*sandboxed/.test(message.text()))
        bench.complaints.push(message.text());
    });
    page.on('pageerror', (error) => bench.complaints.push(error.message));
    page.on('request', (request) => bench.calls.push(request.url()));
    return bench;
  }

  get url(): string {
    return `http://127.0.0.1:${this.settings.ports.dashboard}`;
  }

  async goto(name: string): Promise<void> {
    await this.page.goto(`${this.url}/${name}`);
    await this.page.locator('main h1').waitFor();
  }

  /** What axe finds on the page as it is. */
  async violations(): Promise<string[]> {
    // The page's policy forbids scripts that are not its own; the debugger's evaluation is not under it.
    await this.page.evaluate(AXE);
    const found = (await this.page.evaluate(
      `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] }).then(({ violations }) => violations)`,
    )) as AxeResult[];
    return found.map(
      ({ id, nodes }) =>
        `${this.page.url()} ${id}: ${nodes[0]?.failureSummary ?? ''} ${nodes[0]?.html ?? ''}`,
    );
  }

  async picture(name: string): Promise<void> {
    if (!PICTURES) return;
    mkdirSync(PICTURES, { recursive: true });
    // What a dialog lies over is not scrolled with it.
    const isWhole = (await this.page.locator('dialog[open]').count()) === 0;
    writeFileSync(path.join(PICTURES, `${name}.webp`), await pictureOf(this.page, isWhole));
  }

  async appear(theme: string, language: string): Promise<void> {
    await this.page.evaluate(`localStorage.setItem('datalab.theme', '${theme}')`);
    await this.page.evaluate(`localStorage.setItem('datalab.language', '${language}')`);
  }

  /** Waits until the run whose page is open has ended in one of these words. */
  async ended(word: RegExp): Promise<void> {
    await this.page.locator('h1 + .badge', { hasText: word }).waitFor({ timeout: 120_000 });
  }

  /** Presses a button on the page that asks first, and says yes. */
  async confirm(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).first().click();
    await this.page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  }

  /** Adds a dataset: the folder is read afresh for every run. */
  async addDataset(name: string, yaml: string, sql: string): Promise<void> {
    const own = path.join(this.folder, 'datasets', name);
    await mkdir(own, { recursive: true });
    await writeFile(path.join(own, 'silver.sql'), sql);
    await writeFile(path.join(own, 'dataset.yaml'), yaml);
  }

  async close(): Promise<void> {
    await this.browser.close();
    await destroyEphemeral(this.ephemeral);
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Its gate waits for a person, and it is trained in a moment. */
async function wantsApproval(file: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const quick = text.replace(
    /^candidates:\n(?:[ ].*\n)+/m,
    'candidates:\n  - { kind: linear, parameters: { l2: 1 } }\n',
  );
  const asking = quick.replace(/^gate:\n/m, 'gate:\n  approval: { required: true }\n');
  expect([quick === text, asking === quick]).toEqual([false, false]);
  await writeFile(file, asking);
}
