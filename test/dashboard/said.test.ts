/** What workers write in English is said in Portuguese too: every sentence of the code that writes it has its other half. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { MAINTENANCE_TASKS } from '../../src/contracts/lake-maintenance.js';
import { figureIn, translatorOf } from '../../src/dashboard/web/src/said/translate.js';
import { SENTENCES } from '../../src/dashboard/web/src/said/portuguese.js';
import { DEFAULT_RULES } from '../../src/monitoring/index.js';
import { PROJECT } from '../support/worker-process.js';

const said = translatorOf(SENTENCES, figureIn('pt-BR'));
const source = (file: string): string => readFileSync(path.join(PROJECT, 'src', file), 'utf8');

/** Texts in a source, with something filled in: of what a pattern finds, the first group. */
function written(file: string, finds: RegExp): string[] {
  const found = [...source(file).matchAll(finds)].map((one) => one.slice(1).find(Boolean) ?? '');
  // Of a choice between two words, the first.
  return found.map((text) =>
    text.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, (filled) => /\? '([^']+)'/.exec(filled)?.[1] ?? 'x'),
  );
}
const isSaid = (text: string): boolean => said(text) !== text;
/** Whether it is known with what may follow it, or without. */
const isSaidSomehow = (text: string): boolean => isSaid(text) || isSaid(text.replace(/x$/, ''));

describe('sentences of workers in Portuguese', () => {
  it('has those of every built-in alert rule, as a rule and filled in', () => {
    for (const { summary } of DEFAULT_RULES) {
      // A rule that only names its schedule has no words of its own.
      if (summary === '{schedule}: {detail}') continue;
      expect(isSaid(summary), summary).toBe(true);
      const filled = summary.replaceAll(/\{(\w+)\}/g, (_, name: string) => `some ${name}`);
      expect(isSaid(filled), filled).toBe(true);
      for (const [name] of filled.matchAll(/some \w+/g)) expect(said(filled), filled).toContain(name);
    }
  });

  it.each([
    ['quality/predicate.ts', /return `([^`]+)`|: `([^`]+)`/g, 5],
    ['quality/judge.ts', /detail: `([^`]+)`|'(nothing to score)'|const detail = `([^`]+)`/g, 6],
    ['ml/gate.ts', /detail: '([^']+)'|'(no feature looks ahead)'|: `(looks ahead[^`]+)`/g, 4],
    ['activities/maintenance/tend.ts', /without\(\s*'\w+',\s*(?:'([^']+)'|`([^`]+)`)/g, 8],
    ['activities/maintenance/tend.ts', /const detail = `([^`$]*\$[^`]+)`;/g, 3],
    [
      'activities/maintenance/tend.ts',
      /detail: `([^`$]*\$[^`]+)`|const detail = `([^`$]*\$[^`]+)`|left > 0 \? `([^`]+)`/g,
      5,
    ],
    ['maintenance/advice.ts', /^ {6,}'((?!datalab )[^']+ [^']+)',$/gm, 4],
    ['activities/maintenance/expire.ts', /nothing\('\w+', ['`]([^'`]+)['`]\)|detail: `([^`]+)`/g, 4],
    ['schedules.ts', /note: '([^']+)'/g, 5],
  ] as const)('has those that %s writes', (file, finds, least) => {
    const texts = written(file, finds).filter((text) => /[a-z]{2} [a-z]/.test(text));
    expect(texts.length).toBeGreaterThanOrEqual(least);
    expect(texts.filter((text) => !isSaidSomehow(text))).toEqual([]);
  });

  it('has every action of the audit log, every kind of check and every task of maintenance', () => {
    const routes = path.join('dashboard', 'server', 'routes');
    const actions = readdirSync(path.join(PROJECT, 'src', routes)).flatMap((file) =>
      written(path.join(routes, file), /audit: '([^']+)'/g),
    );
    const kinds = written('contracts/quality.ts', /readonly kind: '(\w+)'/g);
    expect([actions.length > 25, kinds.length > 8]).toEqual([true, true]);
    // One word is the same in both.
    const same = new Set(['vacuum', 'checkpoint']);
    const words = [...actions, ...kinds, ...MAINTENANCE_TASKS].filter((one) => !same.has(one));
    expect(words.filter((one) => !isSaid(one))).toEqual([]);
  });

  it('keeps what is filled in, says it too where it is a sentence, and writes figures as the language does', () => {
    expect(said('close lies outside 0.01 to 100000 in 3 of 12154 rows (0.02 %), at most 1 % allowed')).toBe(
      'close está fora de 0,01 a 100.000 em 3 de 12.154 linhas (0,02 %), permitido no máximo 1 %',
    );
    expect(said('baseline: roc_auc 0.4912, at least 0.5376 wanted (last_value has 0.5076)')).toBe(
      'linha de base: roc_auc 0,4912, esperado ao menos 0,5376 (last_value tem 0,5076)',
    );
    expect(said('kafka does not answer: no answer within 5 s')).toBe(
      'kafka não responde: sem resposta em 5 s',
    );
    expect(said('a sentence of somebody else')).toBe('a sentence of somebody else');
    expect(said('2013')).toBe('2013');
  });

  it('fills in the same on both sides', () => {
    const filled = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g))].sort();
    for (const [english, other] of SENTENCES) expect(filled(other), english).toEqual(filled(english));
  });
});
