/** Rules that people set at run time, as they lie in the lake. */
import { RULE_OVERRIDES_KEY, type RuleOverride } from '../../contracts/monitoring.js';
import type { ObjectStore } from '../../delta/index.js';
import { parseOverrides } from '../../monitoring/index.js';

/** What was read last: a rule that was switched off stays off while the lake is away. */
const LAST = new WeakMap<ObjectStore, readonly RuleOverride[]>();

/** The overrides, none where there are none. Where they cannot be read: those that were read last, and why. */
export async function readOverrides(
  lake: ObjectStore,
): Promise<{ readonly overrides: readonly RuleOverride[]; readonly problem: string | null }> {
  try {
    const { rules } = parseOverrides(await lake.get(RULE_OVERRIDES_KEY));
    LAST.set(lake, rules);
    return { overrides: rules, problem: null };
  } catch (error) {
    if ((error as Error).name === 'ObjectNotFoundError') {
      LAST.delete(lake);
      return { overrides: [], problem: null };
    }
    const problem = `${RULE_OVERRIDES_KEY} cannot be read: ${(error as Error).message.slice(0, 200)}`;
    return { overrides: LAST.get(lake) ?? [], problem };
  }
}
