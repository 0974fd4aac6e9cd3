/** The buttons that help: each is pressed, and what came of it is looked at on the page and by the command line. */
import { expect, it } from 'vitest';
import { datalab } from '../../support/worker-process.js';
import { SOON, type Bench } from './bench.js';
import { heldFeed } from './held-feed.js';

const MODEL = 'next_day_volatility';
const TRADES = (url: string): string => `
name: trades
description: Trades behind an address.
source: { location: '${url}', format: csv }
columns:
  - { name: id, type: long }
  - { name: price, type: double }
key: [id]
silver: { sql: silver.sql }
`;

export function actsOnPeoplesWord(bench: () => Bench): void {
  it('shows how far a running step is, and cancels the run', async () => {
    const { page, env, complaints } = bench();
    const feed = await heldFeed();
    try {
      await bench().addDataset('trades', TRADES(feed.url), 'SELECT id, price FROM bronze');
      const started = JSON.parse((await datalab(['runs', 'start', 'trades', '--json'], env)).stdout) as {
        workflowId: string;
        runId: string;
      };
      await bench().goto(`runs/${started.workflowId}/${started.runId}`);
      const bar = page.locator('.gantt progress');
      await bar.waitFor({ timeout: 60_000 });
      await expect.poll(async () => Number(await bar.getAttribute('value')), SOON).toBeCloseTo(0.5, 2);
      await page.locator('.gantt', { hasText: /fetching sources 1,000,\d+\/2,000,000 bytes/ }).waitFor();
      expect(feed.readers()).toBe(1);
      // A change of mind changes nothing.
      await page.getByRole('button', { name: 'Cancel run' }).click();
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'hidden' });
      expect(await page.locator('h1 + .badge').innerText()).toBe('running');
      await bench().confirm('Cancel run');
      await bench().ended(/^canceled$/);
      await expect.poll(feed.readers, SOON).toBe(0);
      const { stdout } = await datalab(['runs', 'list', '--json'], env);
      const listed = JSON.parse(stdout) as Array<{ workflowId: string }>;
      const own = listed.find(({ workflowId }) => workflowId === started.workflowId);
      expect(JSON.stringify(own)).toMatch(/cancell?ed/i);
      await page.getByRole('button', { name: 'Try again…' }).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await feed.close();
    }
  }, 180_000);

  it('acknowledges an alert, silences a rule for a while, and ends the silence', async () => {
    const { page, env, complaints } = bench();
    await bench().goto('alerts');
    await page.getByRole('button', { name: 'Acknowledge', exact: true }).first().click();
    await page.getByText('acknowledged by ana').first().waitFor();
    await page.getByRole('button', { name: 'Silence', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Rule').fill('table_small');
    await dialog.getByLabel('Why').fill('a sample is small');
    await dialog.getByLabel('Minutes').fill('90');
    await dialog.getByRole('button', { name: 'Silence', exact: true }).click();
    await page.getByText('a sample is small (ana)').waitFor();
    const silences = async (): Promise<unknown[]> =>
      (JSON.parse((await datalab(['alerts', 'list', '--json'], env)).stdout) as { silences: unknown[] })
        .silences;
    expect(await silences()).toEqual([expect.objectContaining({ rule: 'table_small', by: 'ana' })]);
    await page.getByRole('button', { name: 'End', exact: true }).click();
    await page.getByRole('button', { name: 'End', exact: true }).waitFor({ state: 'hidden' });
    expect(await silences()).toEqual([]);
    expect(complaints).toEqual([]);
  }, 120_000);

  it('approves a model that waits for a person, and rolls the champion back', async () => {
    const { page, env, complaints } = bench();
    /** Starts a training and waits until it asks for a person. */
    const asked = async (button: string): Promise<string> => {
      await bench().goto(`models/${MODEL}`);
      if (button === 'Train') await page.getByRole('button', { name: button, exact: true }).click();
      else await bench().confirm(button);
      await page.waitForURL(`**/runs/mlops-training-${MODEL}-*/*`);
      const [, workflowId = ''] = /runs\/([^/]+)/.exec(page.url()) ?? [];
      await bench().goto(`models/${MODEL}`);
      await page.getByText('A training waits for a person').waitFor({ timeout: 90_000 });
      return workflowId;
    };
    const served = (version: string): Promise<void> =>
      page.getByText(`The model server answers with version ${version}`).waitFor({ timeout: 60_000 });
    await asked('Train');
    await page.getByRole('button', { name: 'Approve', exact: true }).click();
    await served('1');
    // The command that the button shows does the same.
    const second = await asked('Train anew');
    expect(await datalab(['models', 'approve', second], env)).toMatchObject({ code: 0 });
    await served('2');
    await bench().goto(`models/${MODEL}`);
    await bench().confirm('Roll back');
    await page.waitForURL(`**/runs/model-deployment-${MODEL}/*`);
    await bench().ended(/^completed$/);
    await bench().goto(`models/${MODEL}`);
    await page.getByText('The model server answers with version 1').waitFor({ timeout: 30_000 });
    const { stdout } = await datalab(['models', 'show', MODEL, '--json'], env);
    const versions = JSON.parse(stdout) as Array<{ version: string; aliases: string[] }>;
    const holder = (alias: string): string | undefined =>
      versions.find(({ aliases }) => aliases.includes(alias))?.version;
    expect([holder('champion'), holder('previous')]).toEqual(['1', '2']);

    const third = await asked('Train anew');
    const refused = ['models', 'approve', third, '--refuse', '--reason', 'not this week', '--json'];
    expect(JSON.parse((await datalab(refused, env)).stdout)).toMatchObject({ workflowId: third });
    await page.getByText('A training waits for a person').waitFor({ state: 'hidden', timeout: 30_000 });
    await page.getByRole('cell', { name: 'not this week' }).waitFor({ timeout: 30_000 });
    await served('1');
    expect(complaints).toEqual([]);
  }, 300_000);

  it('makes a backup, verifies it and drills a restore', async () => {
    const { page, env, complaints } = bench();
    for (const [button, asks] of [
      ['Back up now', false],
      ['Verify newest', false],
      ['Restore drill', true],
    ] as const) {
      await bench().goto('maintenance');
      if (asks) await bench().confirm(button);
      else await page.getByRole('button', { name: button, exact: true }).click();
      await page.waitForURL('**/runs/*backup*/*');
      await bench().ended(/^completed$/);
    }
    await bench().goto('maintenance');
    const runs = page.locator('section', { hasText: 'Made, verified, tried' });
    for (const task of ['create', 'verify', 'drill'])
      await runs
        .locator('tr', { hasText: task, hasNotText: 'dry run' })
        .getByText('completed')
        .waitFor({ timeout: 30_000 });
    // The plan of maintenance, which another test asked for, said what a backup would copy.
    await runs.locator('tr', { hasText: 'dry run' }).first().waitFor();
    const { stdout } = await datalab(['backup', 'list', '--json'], env);
    const [backup, ...more] = JSON.parse(stdout) as Array<{ id: string }>;
    expect(more).toEqual([]);
    await page.getByRole('cell', { name: backup?.id as string }).waitFor();
    expect(complaints).toEqual([]);
  }, 240_000);
}
