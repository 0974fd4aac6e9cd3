/** Which rules hold: the built-in ones, those of the configuration over them, those that people set over both, by name. */
import type {
  AlertRule,
  RuleOrigin,
  RuleOverride,
  RuleOverrides,
  SwitchedRule,
} from '../contracts/monitoring.js';
import { DEFAULT_RULES } from './default-rules.js';

/** A rule with where it comes from, and what it stands over. */
export interface KnownRule {
  readonly rule: SwitchedRule;
  readonly origin: RuleOrigin;
  /** Of an override: the rule that would hold without it; null: none would. */
  readonly under: SwitchedRule | null;
  /** Of an override: who set it, and when (ISO instant). */
  readonly by: string | null;
  readonly at: string | null;
}

/** Every rule once, those that are switched off among them, in the order in which they came to be. */
export function knownRules(
  configured: readonly SwitchedRule[],
  overrides: readonly RuleOverride[] = [],
): KnownRule[] {
  const plain = { under: null, by: null, at: null };
  const known = new Map<string, KnownRule>();
  for (const rule of DEFAULT_RULES)
    known.set(rule.name, { rule: { ...rule, enabled: true }, origin: 'built-in', ...plain });
  for (const rule of configured) known.set(rule.name, { rule, origin: 'configuration', ...plain });
  for (const { rule, by, at } of overrides)
    known.set(rule.name, { rule, origin: 'override', under: known.get(rule.name)?.rule ?? null, by, at });
  return [...known.values()];
}

/** The rules that a sample is held against. */
export function activeRules(
  configured: readonly SwitchedRule[],
  overrides: readonly RuleOverride[] = [],
): readonly AlertRule[] {
  return knownRules(configured, overrides).flatMap(({ rule: { enabled, ...rule } }) =>
    enabled ? [rule] : [],
  );
}

export const NO_OVERRIDES: RuleOverrides = Object.freeze({
  ...{ schema: 'datalab.rule-overrides/1' as const, revision: 0, rules: [] },
});

/** Reads what {@link overridesBytes} wrote. Throws where it is no such document. */
export function parseOverrides(bytes: Uint8Array): RuleOverrides {
  const found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<RuleOverrides>;
  if (found.schema === NO_OVERRIDES.schema && Array.isArray(found.rules)) return found as RuleOverrides;
  throw new Error('it is no document of rule overrides');
}

export function overridesBytes(overrides: RuleOverrides): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(overrides));
}
