import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PROJECT_ROOT } from '../../../src/platform/settings.js';
import { TOOL_VERSIONS } from '../../../src/platform/tools.js';

test('the scripts that prepare the tools and the program that runs them name the same versions', () => {
  const read = (file: string): string => readFileSync(path.join(PROJECT_ROOT, 'infra', file), 'utf8');
  expect(read('prepare/temporal.sh')).toContain(`VERSION=${TOOL_VERSIONS.temporal}\n`);
  expect(read('prepare/versitygw.sh')).toContain(`VERSION=${TOOL_VERSIONS.versitygw}\n`);
  expect(read('prepare/python.sh')).toContain(`VERSION=${TOOL_VERSIONS.deltalake}\n`);
  expect(read('mlflow/requirements.txt')).toContain(`mlflow==${TOOL_VERSIONS.mlflow}\n`);
  expect(read('mlflow/s3-requirements.txt')).toContain(`boto3==${TOOL_VERSIONS.boto3}\n`);
  expect(read('spark/pom.xml')).toContain(`<spark.version>${TOOL_VERSIONS.spark}</spark.version>`);
  expect(read('spark/pom.xml')).toContain(`<delta.version>${TOOL_VERSIONS.deltaSpark}</delta.version>`);
  expect(read('kafka/pom.xml')).toContain(`<kafka.version>${TOOL_VERSIONS.kafka}</kafka.version>`);
});
