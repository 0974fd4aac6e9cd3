/** Checkpoints after commits, so that opening a table never costs more than its last commits. */
import { needsCheckpoint, type DeltaTable } from '../delta/index.js';
import type { ActivityDeps } from './deps.js';

/**
 * Writes a checkpoint where one is due. The commit is made whether or not its checkpoint is: a failure is said, fails
 * nothing, and the next commit tries again.
 */
export async function checkpointIfDue(deps: Pick<ActivityDeps, 'log'>, table: DeltaTable): Promise<void> {
  const where = table.store.uri;
  try {
    const snapshot = await table.snapshotIfExists();
    if (!snapshot || !needsCheckpoint(snapshot)) return;
    const { status, version, files, bytes } = await table.checkpoint();
    deps.log({ table: where, version, files, bytes }, `checkpoint ${status}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    deps.log(
      { table: where, error: message.slice(0, 1000) },
      'checkpoint failed; the next commit tries again',
    );
  }
}
