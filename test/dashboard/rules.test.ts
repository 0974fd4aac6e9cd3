/** Rules that are set at run time: kept in the store, published to the lake, and followed by what judges samples. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readOverrides } from '../../src/activities/monitoring/overrides.js';
import { MemoryObjectStore } from '../../src/connectors/object-store/index.js';
import { RULE_OVERRIDES_KEY } from '../../src/contracts/monitoring.js';
import { publishedRules, RuleBook, tryRule } from '../../src/dashboard/server/rules.js';
import { Store } from '../../src/dashboard/server/store.js';
import { activeRules, judge } from '../../src/monitoring/index.js';

const RULE = {
  name: 'dataset_stale',
  metric: 'table.rows',
  condition: '< 5',
  severity: 'error',
  summary: '{value}',
};
const SAMPLE = [{ metric: 'table.rows', labels: { table: 'gold.a' }, value: 3, source: 'lake' }];

describe('rules that are set at run time', () => {
  let folder: string;
  let store: Store;
  let lake: MemoryObjectStore;
  let book: RuleBook;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'datalab-rules-'));
    store = await Store.open(folder);
    lake = new MemoryObjectStore('rules', { nowMs: () => 0 });
    book = new RuleBook({ store, lake }, []);
  });
  afterEach(async () => {
    store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const found = async (): Promise<string[]> => {
    const { overrides } = await readOverrides(lake);
    return judge(activeRules([], overrides), SAMPLE).findings.map(({ rule }) => rule);
  };

  it('are followed by what judges a sample, and no longer once they are reset', async () => {
    expect(await found()).toEqual([]);
    await book.set(RULE, 'ana');
    expect(await found()).toEqual(['dataset_stale']);
    const known = (await book.known()).find(({ rule }) => rule.name === 'dataset_stale');
    expect(known).toMatchObject({
      origin: 'override',
      by: 'ana',
      under: { metric: 'dataset.overdue_seconds' },
    });
    await book.set({ ...RULE, enabled: false }, 'ana');
    expect(await found()).toEqual([]);
    await book.reset('dataset_stale');
    expect((await book.known()).find(({ rule }) => rule.name === 'dataset_stale')?.origin).toBe('built-in');
    await expect(book.reset('dataset_stale')).rejects.toMatchObject({ code: 'RULE_UNKNOWN' });
  });

  it('are all kept where many are set at once', async () => {
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => book.set({ ...RULE, name: `rule_${name}` }, 'ana')));
    const { revision, rules } = await publishedRules(lake);
    expect(rules.map(({ rule }) => rule.name)).toEqual(['rule_a', 'rule_b', 'rule_c', 'rule_d']);
    expect(revision).toBe(4);
  });

  it('are not kept where the lake does not take them: what is shown is what holds', async () => {
    lake.put = () => Promise.reject(new Error('the lake is away'));
    await expect(book.set(RULE, 'ana')).rejects.toThrow('the lake is away');
    expect((await store.rules()).rules).toEqual([]);
  });

  it('come back from the lake to an empty store, and from the store to an empty lake', async () => {
    await book.set(RULE, 'ana');
    const other = await Store.open(path.join(folder, 'other'));
    const names = (await new RuleBook({ store: other, lake }, []).known()).filter(
      ({ origin }) => origin === 'override',
    );
    expect(names).toHaveLength(1);
    other.close();
    await lake.delete([RULE_OVERRIDES_KEY]);
    await book.known();
    expect((await publishedRules(lake)).rules).toHaveLength(1);
  });

  it('hold on while the lake is away, and say so', async () => {
    await book.set({ ...RULE, enabled: false }, 'ana');
    expect((await readOverrides(lake)).overrides).toHaveLength(1);
    lake.get = () => Promise.reject(new Error('connection refused'));
    const { overrides, problem } = await readOverrides(lake);
    expect(overrides).toHaveLength(1);
    expect(problem).toContain('connection refused');
  });

  it('can be tried without being set', () => {
    expect(tryRule(RULE, SAMPLE)).toMatchObject({ series: 1, findings: [{ summary: '3' }] });
    expect(tryRule({ ...RULE, metric: 'table.rowz' }, SAMPLE)).toEqual({ series: 0, findings: [] });
    expect(() => tryRule({ ...RULE, severity: 'dreadful' }, SAMPLE)).toThrow('severity');
  });
});
