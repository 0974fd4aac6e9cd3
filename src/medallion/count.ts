/** Counting in a session. */
import type { EngineSession } from '../delta/ports.js';

/** The number that a statement gives under the name `n`. */
export async function count(session: EngineSession, sql: string): Promise<number> {
  const [row] = await session.rows<{ n: bigint }>(sql);
  return Number(row?.n ?? 0n);
}
