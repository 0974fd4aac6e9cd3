/** Spark with Delta Lake as the oracle: one process for the whole tier, asked in SQL. */
import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { toolCache } from '../../src/platform/settings.js';
import { TOOL_VERSIONS } from '../../src/platform/tools.js';
import type { DeltaTable } from '../../src/delta/index.js';
import { canonicalLine, canonicalRow, sortedJson } from '../golden/canonical.js';
import type { DeltaLab } from '../support/delta-lab.js';

const { spark, deltaSpark } = TOOL_VERSIONS;
const TOOL = path.join(toolCache(process.env), `spark-${spark}-delta-${deltaSpark}`);
const PYTHON = path.join(TOOL, 'bin', 'python');

/** Whether `infra/prepare/spark.sh` has been there. */
export const SPARK_IS_PREPARED = existsSync(PYTHON);

type Answer = { readonly rows: ReadonlyArray<Record<string, unknown>> } | { readonly error: string };

export class SparkSession {
  readonly #scratch = mkdtempSync(path.join(tmpdir(), 'datalab-spark-'));
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;
  #stderr = '';
  #last: Promise<unknown>;

  constructor() {
    const script = path.join(import.meta.dirname, 'spark-session.py');
    this.#process = spawn(PYTHON, [script, path.join(TOOL, 'delta-jars'), this.#scratch], {
      cwd: this.#scratch,
      env: { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', TZ: 'UTC' },
    });
    this.#process.stderr.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-8000);
    });
    this.#answers = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
    this.#last = this.#answer();
  }

  /** Resolves once Spark takes statements. */
  async ready(): Promise<void> {
    await this.#last;
  }

  /** Runs statements one after the other; the rows of the last, as canonical JSON has them. */
  async sql(...statements: string[]): Promise<ReadonlyArray<Record<string, unknown>>> {
    const before = this.#last;
    const asked = (async () => {
      await before.catch(() => undefined);
      this.#process.stdin.write(`${JSON.stringify({ sql: statements })}\n`);
      return this.#answer();
    })();
    this.#last = asked;
    return asked;
  }

  async close(): Promise<void> {
    // Not `close`: Spark's Java process may hold the pipes a little longer.
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.stdin.end();
    if (this.#process.exitCode === null) await ended;
    this.#process.stdout.destroy();
    this.#process.stderr.destroy();
    rmSync(this.#scratch, { recursive: true, force: true });
  }

  async #answer(): Promise<ReadonlyArray<Record<string, unknown>>> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`Spark ended: ${this.#stderr}`);
    const answer = JSON.parse(value) as Answer;
    if ('error' in answer) throw new Error(`Spark: ${answer.error}`);
    return answer.rows;
  }
}

/** The table's folder as Spark names the table. */
export function sparkName(table: DeltaTable): string {
  return `delta.\`${table.store.uri.replace(/^file:\/\//, '')}\``;
}

/** Holds the rows that we read to those that Spark reads, whatever their order; resolves to their number. */
export async function expectSameRows(
  spark: SparkSession,
  lab: Pick<DeltaLab, 'query'>,
  table: DeltaTable,
  after: string,
): Promise<number> {
  const snapshot = await table.snapshot();
  const rows = await lab.query(table, (from) => `SELECT * FROM ${from}`, snapshot);
  const ours = rows.map((row) => canonicalRow(row, snapshot.schema)).sort();
  const answer = await spark.sql(`SELECT * FROM ${sparkName(table)}`);
  const theirs = answer.map((row) => canonicalLine(sortedJson(row))).sort();
  expect(ours, `rows after ${after}`).toEqual(theirs);
  return ours.length;
}
