/** Which backups stay. Pure. */

const DAY_MS = 86_400_000;
/** All backups stay so long; then the newest of each week, up to the retention; then the newest of each month for a year. */
const ALL_DAYS = 30;
const MONTHLY_DAYS = 365;

/**
 * The ids that stay. `days` is how long the weekly ones stay. The newest backup always does: a lake that was not backed
 * up for a year must not lose its last one.
 */
export function backupsToKeep(
  backups: ReadonlyArray<{ readonly id: string; readonly at: string }>,
  nowMs: number,
  days: number,
): Set<string> {
  const newestFirst = [...backups].sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const keep = new Set<string>();
  const seen = new Set<string>();
  for (const [index, { id, at }] of newestFirst.entries()) {
    const ageDays = (nowMs - Date.parse(at)) / DAY_MS;
    const week = `week ${Math.floor(Date.parse(at) / (7 * DAY_MS))}`;
    const month = `month ${at.slice(0, 7)}`;
    const stays =
      index === 0 ||
      ageDays <= ALL_DAYS ||
      (ageDays <= days && !seen.has(week)) ||
      (ageDays <= Math.max(days, MONTHLY_DAYS) && !seen.has(month));
    if (stays) keep.add(id);
    seen.add(week).add(month);
  }
  return keep;
}
