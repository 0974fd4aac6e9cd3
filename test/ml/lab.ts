/** Models over the sample's own Gold features, computed by the dataset's SQL in the real engine. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { loadModel } from '../../src/config/model.js';
import { locateXgboost } from '../../src/connectors/xgboost/locate.js';
import { createDuckDbEngine } from '../../src/connectors/duckdb/engine.js';
import type { EngineSession } from '../../src/delta/index.js';
import type { ModelDefinition } from '../../src/contracts/model.js';
import { collectRows, type Collected } from '../../src/ml/collect.js';
import { featureSelect } from '../../src/ml/features.js';

export const ROOT = path.resolve(import.meta.dirname, '../..');
const SAMPLE = path.join(ROOT, 'data/samples/stocks.csv.gz');

export const XGBOOST = locateXgboost(undefined, process.env);

export const shippedModel = (name: string): Promise<ModelDefinition> =>
  loadModel(path.join(ROOT, 'datasets'), name);

/** A session in which `gold` is the sample's feature table. */
export async function withGold<Result>(work: (session: EngineSession) => Promise<Result>): Promise<Result> {
  const spill = mkdtempSync(path.join(tmpdir(), 'datalab-ml-'));
  const engine = createDuckDbEngine({ memoryLimit: '1GB', threads: 1, spillDirectory: spill });
  const session = await engine.open({ inputs: [SAMPLE] });
  try {
    await session.run(
      `CREATE SCHEMA silver; CREATE TABLE silver.stocks AS SELECT *, false AS is_outlier FROM read_csv('${SAMPLE}')
       WHERE low <= least(open, close) AND high >= greatest(open, close) AND low > 0`,
    );
    await session.run(
      `CREATE TABLE gold AS ${readFileSync(path.join(ROOT, 'datasets/stocks/gold/stocks_daily_features.sql'), 'utf8')}`,
    );
    return await work(session);
  } finally {
    await session.close();
    rmSync(spill, { recursive: true, force: true });
  }
}

export const collectFrom = (
  session: EngineSession,
  model: ModelDefinition,
  relation = 'gold',
  memoryMb = 1024,
): Promise<Collected> =>
  collectRows(model, session.stream(featureSelect(model, relation, { target: true })), memoryMb);
