/** Checks as datasets declare them, filled in as the configuration does it, for the tests of this folder. */
import { parseDataset } from '../../src/config/dataset.js';
import type { DatasetDefinition } from '../../src/contracts/dataset.js';
import type { CheckDefinition } from '../../src/contracts/quality.js';

/** A dataset with a column of every type and these checks. */
export function datasetWith(checks: unknown, more: object = {}): DatasetDefinition {
  const yaml = {
    name: 'd',
    source: { location: 'in/*.csv', format: 'csv' },
    columns: [
      { name: 'id', type: 'long' },
      { name: 'name', type: 'string' },
      { name: 'price', type: 'double' },
      { name: 'day', type: 'date' },
      { name: 'at', type: 'timestamp', zone: 'UTC' },
      { name: 'amount', type: 'decimal(9,2)' },
      { name: 'ok', type: 'boolean' },
    ],
    key: ['id'],
    silver: { sql: 'silver.sql' },
    checks,
    ...more,
  };
  return parseDataset(
    'd',
    yaml,
    new Map([
      ['silver.sql', 'SELECT * FROM bronze.d'],
      ['checks/odd.sql', 'SELECT * FROM bronze.d WHERE id % 2 = 1 -- odd'],
    ]),
  );
}

export function checksOf(...checks: object[]): readonly CheckDefinition[] {
  return datasetWith(checks).checks;
}
