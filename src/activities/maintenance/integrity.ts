/** The log of a table held against one listing of its folder; only where they differ is anything read again. */
import type { FsckFacts } from '../../contracts/lake-maintenance.js';
import { keyOfPath, vectorPath, type DeltaTable, type ObjectInfo, type Snapshot } from '../../delta/index.js';

const FINDINGS_MAX = 20;
const SOUND: FsckFacts = {
  ...{ damaged: 0, damagedBytes: 0, findings: [], hollow: false },
  orphans: { files: 0, bytes: 0 },
};

/**
 * `objects` were listed after the snapshot was made, so that a file that is not among them is missing. `suspect`: there are
 * old files that are not live, which may be orphans.
 */
export async function integrityOf(
  table: DeltaTable,
  snapshot: Snapshot,
  objects: readonly ObjectInfo[],
  suspect: boolean,
  signal: AbortSignal,
): Promise<FsckFacts> {
  if (!suspect && isWhole(snapshot, objects, table.store.uri)) return SOUND;
  const { findings, hollow, orphans, orphanBytes } = await table.fsck({ signal });
  const damaged = new Set(findings.map(({ path }) => path));
  return {
    damaged: findings.length,
    damagedBytes: snapshot.files.reduce((sum, { path, size }) => sum + (damaged.has(path) ? size : 0), 0),
    findings: findings.slice(0, FINDINGS_MAX),
    hollow,
    orphans: { files: orphans, bytes: orphanBytes },
  };
}

function isWhole({ files }: Snapshot, objects: readonly ObjectInfo[], uri: string): boolean {
  const sizes = new Map(objects.map(({ key, sizeBytes }) => [key, sizeBytes]));
  return files.every(({ path, size, deletionVector }) => {
    const vector = deletionVector && vectorPath(deletionVector);
    try {
      return (
        sizes.get(keyOfPath(path, uri)) === size &&
        (vector === undefined || sizes.has(keyOfPath(vector, uri)))
      );
    } catch {
      // A file of another folder, as a shallow clone has: fsck says what it can of it.
      return false;
    }
  });
}
