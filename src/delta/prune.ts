/** Data skipping: which files may hold rows that a condition is true for. Without sure knowledge a file is read. */
import type { AddFile } from './actions.js';
import type { Snapshot } from './api.js';
import { parseCondition, type Condition } from './expression/parse.js';
import { possible } from './expression/possible.js';
import { factsOf } from './file-facts.js';

export interface Pruned {
  /** Files whose every row makes the condition TRUE: they need not be read to be removed. */
  readonly whole: readonly AddFile[];
  /** Files that must be read. */
  readonly some: readonly AddFile[];
  /** Whether a file, also one that is not in the snapshot, might hold such rows. */
  readonly mayMatch: (file: AddFile) => boolean;
}

/**
 * Sorts the live files by what the condition may be over their rows; no condition is TRUE everywhere. Reads statistics that
 * were left in the checkpoint. Throws DELTA_EXPRESSION_INVALID, DELTA_CHECKPOINT_UNREADABLE.
 */
export function prune(snapshot: Snapshot, where: string | undefined): Promise<Pruned> {
  const condition: Condition =
    where === undefined ? { kind: 'constant', value: true } : parseCondition(where);
  return pruneBy(snapshot, condition);
}

/** The same for a condition that is parsed already. With an alias only columns that name it are this table's. */
export async function pruneBy(snapshot: Snapshot, condition: Condition, alias?: string): Promise<Pruned> {
  if (condition.kind !== 'constant') await snapshot.files.readStatistics();
  const whole: AddFile[] = [];
  const some: AddFile[] = [];
  for (const file of snapshot.files) {
    const { isTrue, isFalse, isNull } = possible(condition, factsOf(snapshot, file, alias));
    if (!isTrue) continue;
    if (isFalse || isNull) some.push(file);
    else whole.push(file);
  }
  return { whole, some, mayMatch: (file) => possible(condition, factsOf(snapshot, file, alias)).isTrue };
}
