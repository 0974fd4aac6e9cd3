/** The address says where one is: filters and tabs outlive a reload, and the way back goes through them. */
import path from 'node:path';
import { expect, it } from 'vitest';
import { createDuckDbEngine } from '../../../src/connectors/duckdb/engine.js';
import { openObjectStore } from '../../../src/connectors/object-store/index.js';
import { DeltaTable, type StructType } from '../../../src/delta/index.js';
import { SOON, type Bench } from './bench.js';

const SCHEMA: StructType = {
  type: 'struct',
  fields: [
    { name: 'id', type: 'long', nullable: false, metadata: { comment: 'Number of the trade.' } },
    { name: 'day', type: 'date', nullable: true, metadata: {} },
  ],
};

/** A table in partitions, of which DataLab's own flows make none: version 1 has two rows, version 2 a third. */
async function partedTable({ env, folder }: Bench): Promise<void> {
  const store = openObjectStore(`${env['DATALAB_LAKE_URI']}/gold/trades_by_day`, {
    s3: {
      endpoint: env['AWS_ENDPOINT_URL'],
      accessKeyId: env['AWS_ACCESS_KEY_ID'],
      secretAccessKey: env['AWS_SECRET_ACCESS_KEY'],
      forcePathStyle: true,
    },
    cacheDirectory: path.join(folder, 'cache'),
    cacheBytes: 2 ** 26,
  });
  const spillDirectory = path.join(folder, 'spill');
  const engine = createDuckDbEngine({ memoryLimit: '200MB', threads: 1, spillDirectory });
  const table = new DeltaTable(store, { engine });
  await table.create(SCHEMA, { partitionBy: ['day'] });
  const first = { id: 1, day: '2026-01-30' };
  await table.append({ rows: [first, { id: 2, day: '2026-01-31' }] });
  await table.append({ rows: [{ id: 3, day: '2026-01-31' }] });
}

export function remembersWhereItIs(bench: () => Bench): void {
  it('says in Portuguese what workers wrote in English', async () => {
    const { page, complaints } = bench();
    await bench().appear('light', 'pt-BR');
    try {
      await bench().goto('quality/stocks');
      await page.getByText('close está fora de 0,01 a 100.000 em 0 de 12.154 linhas').waitFor();
      await bench().goto('flows');
      await page.getByText('Bronze, Silver e Gold uma vez por dia').waitFor();
      await bench().goto('alerts');
      await page.getByText('nenhum worker atende o pool {pool}').waitFor();
      await bench().goto('models/next_day_direction');
      await page.getByText('nenhum atributo olha para a frente').waitFor();
      await bench().goto('runs?flow=mlopsTraining&search=mlops-training-next_day_direction');
      await page.getByText('1 execução', { exact: true }).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await bench().appear('light', 'en');
    }
  }, 60_000);

  it('counts the runs of today, and each figure leads to the runs that it counts', async () => {
    const { page, complaints } = bench();
    await bench().goto('');
    const today = page.locator('section', { hasText: 'Today’s runs' });
    const badge = today.locator('a.badge', { hasText: 'completed' });
    await badge.waitFor();
    const count = Number(/\d+/.exec(await badge.innerText())?.[0]);
    expect(count).toBeGreaterThan(3);
    await badge.click();
    await page.waitForURL('**/runs?*status=completed*');
    await page.getByText(`${count} runs`, { exact: true }).waitFor();
    expect(await page.locator('main tbody tr').count()).toBe(count);
    const day = await page.getByLabel('Started since').inputValue();
    expect(day).toBe(await page.evaluate(`new Date().toLocaleDateString('sv')`));
    await page.goBack();
    await page.locator('.tile', { hasText: 'Running now' }).click();
    await page.waitForURL('**/runs?*status=running');
    expect(complaints).toEqual([]);
  });

  it('keeps the filters of runs through a reload, and takes them off one by one on the way back', async () => {
    const { page, complaints } = bench();
    await bench().goto('runs');
    const [flow, status, search] = [
      page.getByLabel('Flow', { exact: true }),
      page.getByLabel('Status', { exact: true }),
      page.getByLabel('Workflow id begins with'),
    ];
    await flow.selectOption('mlopsTraining');
    await status.selectOption('completed');
    await search.pressSequentially('mlops-training-next_day_d');
    const rows = page.locator('main tbody tr');
    const set = async (): Promise<string[]> =>
      Promise.all([flow, status, search].map((field) => field.inputValue()));
    const chosen = ['mlopsTraining', 'completed', 'mlops-training-next_day_d'];
    await expect.poll(() => rows.count(), SOON).toBe(1);
    await page.reload();
    await expect.poll(set, SOON).toEqual(chosen);
    await expect.poll(() => rows.count(), SOON).toBe(1);
    await rows.locator('a').first().click();
    await page.waitForURL('**/runs/mlops-training-next_day_direction-*/*');
    await page.goBack();
    await expect.poll(set, SOON).toEqual(chosen);
    await page.goBack();
    await expect.poll(set, SOON).toEqual(['mlopsTraining', '', '']);
    await page.goBack();
    await expect.poll(set, SOON).toEqual(['', '', '']);
    await page.goForward();
    await expect.poll(set, SOON).toEqual(['mlopsTraining', '', '']);
    expect(complaints).toEqual([]);
  }, 120_000);

  it('shows schema, history, earlier rows, partitions and differences of a table, each at an address', async () => {
    const { page, complaints } = bench();
    await partedTable(bench());
    await bench().goto('lake/gold.trades_by_day');
    await page.getByRole('cell', { name: 'day ◆' }).waitFor();
    await page.getByRole('cell', { name: 'Number of the trade.' }).waitFor();
    const rows = page.getByRole('tabpanel').locator('tbody tr');
    await page.getByRole('tab', { name: 'History' }).click();
    await expect.poll(() => rows.count(), SOON).toBe(3);
    await rows.nth(1).getByRole('button', { name: '1', exact: true }).click();
    await page.waitForURL('**/lake/gold.trades_by_day?*version=1*');
    await expect.poll(() => rows.count(), SOON).toBe(2);
    await page.getByLabel('Version').fill('2');
    await expect.poll(() => rows.count(), SOON).toBe(3);
    await page.reload();
    await expect.poll(() => page.getByLabel('Version').inputValue(), SOON).toBe('2');
    await page.getByRole('tab', { name: 'Files' }).click();
    const parts = page.locator('section', { hasText: 'Partitions (2)' }).locator('tbody tr');
    await expect
      .poll(async () => (await parts.allInnerTexts()).sort(), SOON)
      .toEqual([
        expect.stringMatching(/^2026-01-30\s+1\s+1\s/),
        expect.stringMatching(/^2026-01-31\s+2\s+2\s/),
      ]);
    await page.goBack();
    await expect.poll(() => page.getByRole('tab', { selected: true }).innerText(), SOON).toBe('Rows');
    await page.getByRole('tab', { name: 'Differences' }).click();
    await page.getByRole('button', { name: 'Compare' }).click();
    await page.getByText('1 row gained').waitFor({ timeout: 60_000 });
    await page.getByText('0 rows lost').waitFor();
    await bench().goto('lake/silver.stocks?tab=history');
    await page
      .getByRole('link', { name: /^medallion-etl-stocks-/ })
      .first()
      .click();
    await page.waitForURL('**/runs/medallion-etl-stocks-*/*');
    expect(complaints).toEqual([]);
  }, 180_000);
}
