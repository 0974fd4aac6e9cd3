/** Rules over measurements: what is found, what explains what, and the rules of a configuration over the built-in ones. */
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/config.js';
import { activeRules, DEFAULT_RULES, judge } from '../../src/monitoring/index.js';

const figure = (metric: string, labels: Record<string, string>, value: number, detail = '') => ({
  ...{ metric, labels, value, detail },
  source: 'services',
});

describe('the built-in rules', () => {
  it('find nothing in a healthy sample', () => {
    const sample = [
      figure('service.up', { service: 'store' }, 1),
      figure('service.up', { service: 'temporal' }, 1),
      figure('pool.pollers', { pool: 'etl' }, 1),
      figure('table.readable', { table: 'gold.a', layer: 'gold' }, 1),
      figure('consumer.lag_growing_samples', { group: 'g', topic: 't' }, 0),
      figure('probe.up', { probe: 'lake' }, 1),
    ];
    expect(judge(DEFAULT_RULES, sample).findings).toEqual([]);
  });

  it('say why a service is down, once: what follows from it is silent', () => {
    const sample = [
      figure('service.up', { service: 'store' }, 0, 'connection refused'),
      figure('probe.up', { probe: 'lake' }, 0, 'connection refused'),
    ];
    expect(judge(DEFAULT_RULES, sample).findings).toMatchObject([
      {
        fingerprint: 'store_down{service=store}',
        severity: 'critical',
        summary: 'the object store does not answer: connection refused',
      },
    ]);
  });

  it('only explain by rules that there are', () => {
    const names = new Set(DEFAULT_RULES.map(({ name }) => name));
    expect(names.size).toBe(DEFAULT_RULES.length);
    for (const { unless } of DEFAULT_RULES) for (const name of unless) expect(names).toContain(name);
  });

  it('tell an idle consumer from one that falls behind', () => {
    const lag = (growing: number) =>
      judge(DEFAULT_RULES, [figure('consumer.lag_growing_samples', { group: 'g', topic: 't' }, growing)]);
    expect(lag(2).findings).toEqual([]);
    expect(lag(3).findings.map(({ rule }) => rule)).toEqual(['consumer_stalled']);
  });
});

describe('the rules of a configuration', () => {
  const rulesOf = (yaml: string) => activeRules(parseConfig(yaml, {}).monitoring.rules);

  it('add to the built-in ones, replace them by name, and switch them off', () => {
    const rules = rulesOf(`
monitoring:
  rules:
    - { name: service_slow, metric: service.response_ms, condition: '>= 50', for: 2m, severity: info, summary: slow }
    - { name: topic_missing, metric: topic.present, condition: '== 0', severity: info, summary: x, enabled: false }
    - { name: big, metric: table.bytes, condition: '> 1.5', severity: error, where: { table: 'gold.*' }, labels: { team: a }, summary: '{table}: {value} of {team}' }
`);
    const byName = new Map(rules.map((rule) => [rule.name, rule]));
    expect(byName.get('service_slow')).toMatchObject({
      condition: { operator: '>=', value: 50 },
      forSeconds: 120,
    });
    expect(byName.has('topic_missing')).toBe(false);
    const { findings, judged } = judge(rules, [
      figure('table.bytes', { table: 'gold.a' }, 2),
      figure('table.bytes', { table: 'silver.a' }, 2),
    ]);
    expect(findings).toMatchObject([
      { fingerprint: 'big{table=gold.a}', labels: { table: 'gold.a', team: 'a' }, summary: 'gold.a: 2 of a' },
    ]);
    expect(judged['big']).toBe(1);
  });

  it('are refused with every problem named', () => {
    const wrong = `
monitoring:
  rules: [{ name: a, metric: b, condition: 'about 3', severity: loud, summary: x }]
  routes: { error: [nobody] }
  targets: [{ name: t }]
`;
    expect(() => parseConfig(wrong, {})).toThrow(/rules\.0\.condition[^]*rules\.0\.severity[^]*targets\.0/);
    expect(() => parseConfig('monitoring: { routes: { error: [nobody] } }', {})).toThrow(
      /no channel 'nobody'/,
    );
  });
});
