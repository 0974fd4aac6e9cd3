/** A folder, an engine and a dataset per test, and sources made from text. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { parseConfig } from '../../src/config/config.js';
import { parseDataset } from '../../src/config/dataset.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import type { DatasetDefinition } from '../../src/contracts/dataset.js';
import type { LocalSource } from '../../src/contracts/sources.js';
import type { Engine, ScanPlan, WrittenFile } from '../../src/delta/ports.js';
import type { StructType } from '../../src/delta/schema.js';
import { ingest, type Ingested } from '../../src/medallion/ingest.js';
import { refine, type Refined } from '../../src/medallion/refine.js';
import { LINEAGE_COLUMNS } from '../../src/medallion/schema.js';

export const RUN = { runId: 'run-1', at: '2024-05-06T07:08:09.000Z' };

/** The dataset `d` of this `dataset.yaml`; its silver.sql selects the declared columns as they are. */
export function plainDataset(text: string): DatasetDefinition {
  const definition = parse(text) as { columns: ReadonlyArray<{ name: string }> };
  const names = [...definition.columns.map(({ name }) => name), ...LINEAGE_COLUMNS];
  const sql = `SELECT ${names.join(', ')} FROM bronze.d`;
  return parseDataset('d', definition, new Map([['silver.sql', sql]]), parseConfig('', {}).quality);
}

export class Workbench {
  readonly folder = mkdtempSync(join(tmpdir(), 'datalab-medallion-'));
  readonly engine: Engine = createDuckDbEngine({
    memoryLimit: '500MB',
    threads: 2,
    spillDirectory: join(this.folder, 'spill'),
  });
  #folders = 0;

  /** An empty folder of its own. */
  directory(): string {
    const path = join(this.folder, `d${this.#folders++}`);
    mkdirSync(path);
    return path;
  }

  source(name: string, bytes: string | Uint8Array): LocalSource {
    const localPath = join(this.directory(), name);
    writeFileSync(localPath, bytes);
    return this.sourceAt(localPath, `file:///in/${name}`);
  }

  /** Like {@link source}, in a folder that is shared by name. */
  sourceIn(folder: string, name: string, bytes: string): LocalSource {
    const directory = join(this.folder, folder);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, name), bytes);
    return this.sourceAt(join(directory, name));
  }

  sourceAt(localPath: string, path = `file://${localPath}`): LocalSource {
    const stat = statSync(localPath);
    const sourceId = createHash('sha256').update(readFileSync(localPath)).digest('hex');
    return {
      path,
      localPath,
      sourceId,
      contentHash: sourceId,
      sizeBytes: stat.size,
      modifiedMs: stat.mtimeMs,
    };
  }

  async ingest(dataset: DatasetDefinition, ...sources: LocalSource[]): Promise<Ingested> {
    const folder = this.directory();
    return ingest({
      engine: this.engine,
      dataset,
      sources,
      outputDirectory: folder,
      run: RUN,
    });
  }

  /** Silver of all that was ingested. */
  async refine(
    dataset: DatasetDefinition,
    { schema, bronze }: Pick<Ingested, 'schema' | 'bronze'>,
    partRows?: number,
  ): Promise<Refined> {
    return refine({
      engine: this.engine,
      dataset,
      bronze: this.plan(schema, bronze),
      outputDirectory: this.directory(),
      ...(partRows !== undefined && { partRows }),
      run: RUN,
    });
  }

  plan(schema: StructType, files: readonly WrittenFile[], layer?: string): ScanPlan {
    const partitioned: Record<string, string> = layer === undefined ? {} : { layer };
    return {
      schema,
      partitionColumns: layer === undefined ? [] : ['layer'],
      columnMapping: 'none',
      files: files.map(({ localPath }) => ({ localPath, partitionValues: partitioned })),
    };
  }

  /** Rows of written files; `sql` continues after `FROM <files>`. */
  async read<Row extends object>(plan: ScanPlan, sql = '', columns = '*'): Promise<Row[]> {
    const session = await this.engine.open({ inputs: plan.files.map((file) => file.localPath) });
    try {
      return await session.rows<Row>(`SELECT ${columns} FROM ${this.engine.relation(plan)} ${sql}`);
    } finally {
      await session.close();
    }
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
