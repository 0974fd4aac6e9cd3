/** The newest features of every key of a model's Gold table, by the same SQL that training used. */
import { DatalabError } from '../contracts/errors.js';
import type { ModelDefinition } from '../contracts/model.js';
import { checkoutScan, type DeltaTable, type Snapshot } from '../delta/index.js';
import { tableOf, type LakeReader } from '../lake/tables.js';
import { featureSelect, META } from '../ml/features.js';

export interface KeyFeatures {
  /** Milliseconds since 1970. */
  readonly time: number;
  /** In the order of the model's features; NaN where one is missing. */
  readonly values: Float32Array;
}

export interface FeatureTable {
  /** Version of the Gold table. */
  readonly version: number;
  readonly byKey: ReadonlyMap<string, KeyFeatures>;
}

/** The text by which a row of a model is known: a JSON list of its key's values. */
export function keyText(
  definition: Pick<ModelDefinition, 'keys'>,
  key: Readonly<Record<string, string | number>>,
): string {
  return JSON.stringify(definition.keys.map((name) => String(key[name])));
}

/**
 * Computed once per version of the table, and looked up from then on. Every question asks the log first, so an answer is of
 * the version that was the newest when it was asked.
 */
export class NewestFeatures {
  private readonly table: DeltaTable;
  private known: { readonly id: string; readonly table: FeatureTable } | undefined;
  private asking: Promise<FeatureTable> | undefined;

  constructor(
    private readonly lake: LakeReader,
    private readonly definition: ModelDefinition,
    private readonly names: readonly string[],
  ) {
    this.table = tableOf(lake, { layer: 'gold', table: definition.table });
  }

  /** Version of the table that is held; null before the first question. */
  get version(): number | null {
    return this.known?.table.version ?? null;
  }

  /** Questions that come while one is under way wait for the one after it: its answer would be too old for them. */
  private next: Promise<FeatureTable> | undefined;

  async read(): Promise<FeatureTable> {
    if (!this.asking) return this.begin();
    const { asking } = this;
    this.next ??= asking
      .catch(() => undefined)
      .then(() => {
        this.next = undefined;
        return this.begin();
      });
    return this.next;
  }

  private begin(): Promise<FeatureTable> {
    this.asking = this.look().finally(() => (this.asking = undefined));
    return this.asking;
  }

  private async look(): Promise<FeatureTable> {
    const snapshot = await this.table.snapshotIfExists();
    if (!snapshot)
      throw new DatalabError(
        'MODEL_TABLE_MISSING',
        `gold.${this.definition.table} is not there, so no features can be read`,
      );
    const { id } = snapshot.metadata;
    if (this.known?.id === id && this.known.table.version === snapshot.version) return this.known.table;
    const table = await this.compute(snapshot);
    this.known = { id, table };
    return table;
  }

  private async compute(snapshot: Snapshot): Promise<FeatureTable> {
    const scan = await checkoutScan(this.table.store, snapshot);
    const byKey = new Map<string, KeyFeatures>();
    try {
      const session = await this.lake.engine.open({ inputs: scan.inputs });
      try {
        const relation = this.lake.engine.relation(scan.plan);
        const select = featureSelect(this.definition, relation, { target: false });
        const newest = `SELECT * FROM (${select}) QUALIFY row_number() OVER (PARTITION BY ${META.key} ORDER BY ${META.time} DESC) = 1`;
        for await (const { rows, columns } of session.stream(newest))
          for (let row = 0; row < rows; row += 1)
            byKey.set(String(columns[0]?.[row]), {
              time: Number(columns[1]?.[row]),
              values: Float32Array.from(this.names, (_, index) => numberOf(columns[2 + index]?.[row])),
            });
      } finally {
        await session.close();
      }
    } finally {
      scan.release();
    }
    return { version: snapshot.version, byKey };
  }
}

const numberOf = (value: unknown): number => (value === null || value === undefined ? NaN : Number(value));
