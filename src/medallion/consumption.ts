/** What a table's commits since a version mean for a table that is made from it. Pure. */
import type { Action, AddFile } from '../delta/actions.js';
import { commitInfoOf } from '../delta/replay.js';
import { noteOf } from './commit-note.js';

/** One version with everything that was committed in it. */
export interface Commit {
  readonly version: number;
  readonly actions: readonly Action[];
}

/** `whole`: an increment cannot tell what happened, for the reason given; everything is computed again. */
export type Since<What> = { readonly whole: string } | What;

/** Whether the commit changed rows that a consumer has to know of: re-arranging is no news, and neither is retention. */
export function isNews({ actions }: Commit): boolean {
  const changes = actions.some(
    (action) =>
      ('add' in action && action.add.dataChange) || ('remove' in action && action.remove.dataChange),
  );
  return changes && !isRetention(actions);
}

/**
 * Files whose rows are new. Rows that were only re-arranged, and rows that retention took, are no news (DESIGN laws 4
 * and 12); rows that were changed or taken out otherwise are none that an increment can follow.
 */
export function newFiles(commits: readonly Commit[]): Since<{ readonly files: readonly AddFile[] }> {
  const files: AddFile[] = [];
  for (const { version, actions } of commits.filter(isNews)) {
    if (actions.some((action) => 'remove' in action && action.remove.dataChange))
      return { whole: `rows were changed or taken out in version ${version} of the table it is made from` };
    files.push(
      ...actions.flatMap((action) => ('add' in action && action.add.dataChange ? [action.add] : [])),
    );
  }
  return { files };
}

/** Keys, in the lake, of the files that say which rows the commits changed. */
export function changeFiles(commits: readonly Commit[]): Since<{ readonly keys: readonly string[] }> {
  const keys: string[] = [];
  for (const { version, actions } of commits.filter(isNews)) {
    const note = noteOf(commitInfoOf(actions) ?? {});
    if (note?.kind !== 'publish' || note.changes === undefined)
      return { whole: `version ${version} of the table it is made from was computed whole` };
    if (note.changes !== null) keys.push(note.changes);
  }
  return { keys };
}

function isRetention(actions: readonly Action[]): boolean {
  return noteOf(commitInfoOf(actions) ?? {})?.kind === 'retention';
}
