/** One confined DuckDB instance: what it may touch is fixed before the first statement of anybody else. */
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBInstance, DuckDBPreparedStatement } from '@duckdb/node-api';
import { StatementType } from '@duckdb/node-api';
import { DatalabError } from '../../contracts/errors.js';
import { literal } from '../../contracts/sql-text.js';
import type {
  ColumnBatch,
  EngineSession,
  SessionOptions,
  TextSigns,
  WrittenFile,
} from '../../delta/ports.js';
import { writtenFile, type CopyRow } from './copy-stats.js';
import { engineError, firstLine } from './errors.js';
import { unsupportedPart } from './sql-type.js';
import { plainObject, storedValue } from './values.js';

/**
 * Parquet as every reader of Delta tables takes it, and as Spark and delta-rs write it. Version 2 encodings would be a
 * quarter smaller, but Spark's vectorized reader knows BYTE_STREAM_SPLIT only in its newest releases; zstd would be a
 * tenth smaller, and takes a fifth longer to write and twice as long to read, which every layer does with the one below.
 * The small dictionary keeps symbols and dates in dictionaries and spares the attempt on doubles.
 */
const PARQUET = 'FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v1, DICTIONARY_SIZE_LIMIT 8192';

/** Of 122,880 rows each: files of about a million rows, which an upsert can replace one by one. */
const ROW_GROUPS_PER_FILE = 8;

/** A statement may start after its interrupt was sent, which then is lost: it is sent again until the statement ends. */
const INTERRUPT_EVERY_MS = 50;

export class DuckDbSession implements EngineSession {
  #closed = false;

  constructor(
    private readonly instance: DuckDBInstance,
    private readonly connection: DuckDBConnection,
    private readonly options: SessionOptions,
    private readonly spillDirectory: string,
  ) {}

  async run(sql: string): Promise<void> {
    await this.#guard(sql, () => this.connection.run(sql));
  }

  async rows<Row extends object>(sql: string): Promise<Row[]> {
    const reader = await this.#guard(sql, () => this.connection.runAndReadAll(sql));
    return reader.getRowObjects().map((row) => plainObject(row) as Row);
  }

  async describe(select: string): Promise<ReadonlyArray<{ name: string; type: string }>> {
    return this.#guard(select, async () => {
      const prepared = await this.#prepareSelect(select);
      try {
        return Array.from({ length: prepared.columnCount }, (_, index) => {
          const type = prepared.columnType(index);
          return { name: prepared.columnName(index), type: type.alias ?? String(type) };
        });
      } finally {
        prepared.destroySync();
      }
    });
  }

  async *stream(select: string): AsyncGenerator<ColumnBatch, void> {
    (await this.#guard(select, () => this.#prepareSelect(select))).destroySync();
    const result = await this.#guard(select, () => this.connection.stream(select));
    for (;;) {
      const chunk = await this.#guard(select, () => result.fetchChunk());
      if (!chunk || chunk.rowCount === 0) return;
      yield { rows: chunk.rowCount, columns: chunk.getColumns().map((column) => column.map(storedValue)) };
    }
  }

  async writeParquet(
    select: string,
    fileName: string,
    { isOwn = false, rowGroupRows }: { readonly isOwn?: boolean; readonly rowGroupRows?: number } = {},
  ): Promise<WrittenFile | undefined> {
    const format = rowGroupRows === undefined ? PARQUET : `${PARQUET}, ROW_GROUP_SIZE ${rowGroupRows}`;
    const [file] = await this.#copy(select, fileName, format, isOwn);
    return file;
  }

  writeParquetFiles(select: string, folderName: string): Promise<WrittenFile[]> {
    return this.#copy(select, folderName, `${PARQUET}, ROW_GROUPS_PER_FILE ${ROW_GROUPS_PER_FILE}`);
  }

  async writeText(select: string, fileName: string, { field, quote }: TextSigns): Promise<void> {
    const form = `DELIMITER ${literal(field)}, QUOTE ${literal(quote)}, ESCAPE ${literal(quote)}`;
    const path = this.#outputPath(fileName);
    await this.run(
      `COPY (\n${select}\n) TO ${literal(path)} (FORMAT csv, HEADER false, COMPRESSION none, ${form})`,
    );
  }

  async #copy(select: string, name: string, format: string, isOwn = false): Promise<WrittenFile[]> {
    const path = this.#outputPath(name);
    if (!isOwn) refuseUnsupported(await this.describe(select), select);
    const rows = await this.rows<CopyRow>(
      `COPY (\n${select}\n) TO ${literal(path)} (${format}, RETURN_STATS)`,
    ).catch(async (error: unknown) => {
      await rm(path, { force: true, recursive: true });
      throw error;
    });
    const written = rows.filter((row) => row.count > 0n).map((row) => writtenFile(row, row.filename));
    if (written.length === 0) await rm(path, { force: true, recursive: true });
    return written;
  }

  #outputPath(name: string): string {
    const directory = this.options.outputDirectory;
    if (directory === undefined) throw new TypeError('this session has no output folder');
    if (!/^[A-Za-z0-9._=-]+$/.test(name) || name.startsWith('.')) {
      throw new TypeError(`not a plain file name: ${name}`);
    }
    return join(resolve(directory), name);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.closeSync();
    this.instance.closeSync();
    await rm(this.spillDirectory, { recursive: true, force: true });
  }

  /** Proves that the text is one SELECT that stays one inside parentheses, and resolves its columns. */
  async #prepareSelect(select: string): Promise<DuckDBPreparedStatement> {
    const statements = await this.connection.extractStatements(select);
    if (statements.count !== 1) {
      throw notASelect(`${statements.count} statements where one SELECT is expected`, select);
    }
    const alone = await statements.prepare(0);
    const isSelect = alone.statementType === StatementType.SELECT;
    const parameters = alone.parameterCount;
    alone.destroySync();
    if (!isSelect) throw notASelect('not a SELECT', select);
    if (parameters > 0) throw notASelect('a SELECT with parameters', select);
    if (/;\s*$/.test(select)) throw notASelect('a SELECT that ends in a semicolon', select);
    // As it will stand in COPY: DESCRIBE and the like count as SELECT above, and are harmless here.
    return this.connection.prepare(`SELECT * FROM (\n${select}\n)`);
  }

  /** Runs the work so that an abort interrupts it, and DuckDB's errors come out as errors of the house. */
  async #guard<Result>(sql: string, work: () => Promise<Result>): Promise<Result> {
    const signal = this.options.signal;
    signal?.throwIfAborted();
    let timer: NodeJS.Timeout | undefined;
    const interrupt = (): void => {
      this.connection.interrupt();
      timer ??= setInterval(() => this.connection.interrupt(), INTERRUPT_EVERY_MS);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      throw engineError(error, sql);
    } finally {
      signal?.removeEventListener('abort', interrupt);
      clearInterval(timer);
    }
  }
}

function notASelect(what: string, select: string): DatalabError {
  return new DatalabError('ENGINE_NOT_A_SELECT', `${what} (in: ${firstLine(select)})`);
}

function refuseUnsupported(columns: ReadonlyArray<{ name: string; type: string }>, select: string): void {
  const refused = columns.flatMap(({ name, type }) => {
    const part = unsupportedPart(type);
    return part === undefined ? [] : [`column '${name}' is ${type}, and Delta has no ${part}`];
  });
  const names = columns.map(({ name }) => name.toLowerCase());
  const twice = columns.filter(({ name }, index) => names.indexOf(name.toLowerCase()) !== index);
  refused.push(
    ...twice.map(({ name }) => `column '${name}' is there twice (names differ by more than case)`),
  );
  if (refused.length > 0) {
    throw new DatalabError('ENGINE_TYPE_UNSUPPORTED', `${refused.join('; ')} (in: ${firstLine(select)})`);
  }
}
