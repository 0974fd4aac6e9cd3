/**
 * Alert rules that people set at run time. They are kept in the dashboard's own store, and published to the lake, where the
 * workers of every machine read them before they judge a sample.
 */
import type { z } from 'zod';
import type { Config } from '../../config/config.js';
import { ruleSchema, ruleText } from '../../config/monitoring.js';
import { DatalabError } from '../../contracts/errors.js';
import {
  RULE_OVERRIDES_KEY,
  type Finding,
  type Labels,
  type RuleOverride,
  type RuleOverrides,
} from '../../contracts/monitoring.js';
import type { ObjectStore } from '../../delta/index.js';
import {
  judge,
  knownRules,
  NO_OVERRIDES,
  overridesBytes,
  parseOverrides,
  type KnownRule,
  type Sourced,
} from '../../monitoring/index.js';
import type { Store } from './store.js';

export type RuleText = z.input<typeof ruleSchema>;

/** What a rule would find in a sample. */
export interface RuleTrial {
  /** Series of its metric that it judged: none is most often a misspelt metric or label. */
  readonly series: number;
  readonly findings: readonly Finding[];
}

export class RuleBook {
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly deps: { readonly store: Store; readonly lake: ObjectStore },
    private readonly configured: Config['monitoring']['rules'],
  ) {}

  /** Every rule, with those of the lake where it has newer ones: another copy of this store may have published them. */
  async known(): Promise<KnownRule[]> {
    return knownRules(this.configured, (await this.#newest()).rules);
  }

  /** Sets a rule. Throws INPUT_INVALID where it is none, and what the lake says where it does not take it. */
  async set(text: unknown, by: string): Promise<RuleOverride> {
    const rule = parseRule(text);
    const set = { rule, by, at: new Date().toISOString() };
    await this.#change((rules) => [...rules.filter((one) => one.rule.name !== rule.name), set]);
    return set;
  }

  /** Takes an override away, so that what it stood over holds again. Throws RULE_UNKNOWN where there is none. */
  async reset(name: string): Promise<void> {
    await this.#change((rules) => {
      const others = rules.filter(({ rule }) => rule.name !== name);
      if (others.length < rules.length) return others;
      throw new DatalabError('RULE_UNKNOWN', `no rule '${name}' was set here`);
    });
  }

  /** One after the other, and published before it is kept: what the page shows is what holds. */
  #change(make: (rules: readonly RuleOverride[]) => readonly RuleOverride[]): Promise<void> {
    const next = this.#last.then(async () => {
      const before = await this.#newest();
      const after: RuleOverrides = {
        ...{ schema: NO_OVERRIDES.schema, revision: before.revision + 1, rules: make(before.rules) },
      };
      await this.deps.lake.put(RULE_OVERRIDES_KEY, overridesBytes(after));
      await this.deps.store.replaceRules(after);
    });
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #newest(): Promise<Pick<RuleOverrides, 'revision' | 'rules'>> {
    const kept = await this.deps.store.rules();
    const published = await publishedRules(this.deps.lake);
    if (published.revision > kept.revision) {
      await this.deps.store.replaceRules(published);
      return published;
    }
    // A lake that was put back or made anew gets them again.
    if (published.revision < kept.revision)
      await this.deps.lake.put(RULE_OVERRIDES_KEY, overridesBytes({ schema: NO_OVERRIDES.schema, ...kept }));
    return kept;
  }
}

/** What the workers go by; none where nothing was published. Throws what the lake says. */
export async function publishedRules(lake: ObjectStore): Promise<RuleOverrides> {
  try {
    return parseOverrides(await lake.get(RULE_OVERRIDES_KEY));
  } catch (error) {
    if ((error as Error).name === 'ObjectNotFoundError') return NO_OVERRIDES;
    throw error;
  }
}

/** Throws DatalabError INPUT_INVALID with every problem. */
export function parseRule(text: unknown): z.output<typeof ruleSchema> {
  const parsed = ruleSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  const said = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'rule'}: ${message}`);
  throw new DatalabError('INPUT_INVALID', said.join('; '));
}

/** Holds one rule against a sample. */
export function tryRule(text: unknown, sample: readonly Sourced[]): RuleTrial {
  const { enabled: _, ...rule } = parseRule(text);
  // Another rule may explain its findings; here they are shown all the same.
  const { findings, judged } = judge([{ ...rule, unless: [] }], sample);
  return { series: judged[rule.name] ?? 0, findings };
}

/** The newest recorded sample, by one SELECT over `metrics`. */
export const NEWEST_SAMPLE =
  'SELECT metric, labels, value, detail, probe, "at" FROM metrics WHERE "at" = (SELECT max("at") FROM metrics) LIMIT 20000';

/** One of its rows. */
export interface SampleRow {
  readonly metric: string;
  readonly labels: string;
  readonly value: number;
  readonly detail: string | null;
  readonly probe: string;
  readonly at: string;
}

export function sampleOf(rows: readonly SampleRow[]): Sourced[] {
  return rows.map(({ metric, labels, value, detail, probe }) => ({
    ...{ metric, value, source: probe, labels: JSON.parse(labels) as Labels },
    ...(detail !== null && { detail }),
  }));
}

export { ruleText };
