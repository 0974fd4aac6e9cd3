/** Cross-checks with Spark and Delta Lake. One file, so that Spark starts once for the whole tier. */
import { afterAll, beforeAll, describe } from 'vitest';
import { deltaLab } from '../support/delta-lab.js';
import { everyOperation } from './operations.case.js';
import { ourWrites } from './ours.case.js';
import { restoredTables } from './restored.case.js';
import { theirOperations } from './theirs.case.js';
import { takingTurns } from './turns.case.js';
import { everyType } from './types.case.js';
import { SPARK_IS_PREPARED, SparkSession } from './session.js';

describe.skipIf(!SPARK_IS_PREPARED)('Spark (skipped until infra/prepare/spark.sh has run)', () => {
  const lab = deltaLab();
  let session: SparkSession;
  const spark = (): SparkSession => session;
  beforeAll(async () => {
    session = new SparkSession();
    await session.ready();
  });
  afterAll(() => session.close());

  describe('what we write', () => ourWrites(spark, lab));
  describe('every operation', () => everyOperation(spark, lab));
  describe('every type', () => everyType(spark, lab));
  describe('what Spark writes', () => theirOperations(spark, lab));
  describe('taking turns', () => takingTurns(spark, lab));
  describe('what we restored', () => restoredTables(spark, lab));
});
