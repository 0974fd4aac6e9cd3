/** What a table may need, feature by feature: the registry's promises on real commits. */
import { describe, expect, test } from 'vitest';
import { MemoryObjectStore } from '../../src/connectors/object-store/memory.js';
import { DeltaTable, type Action, type StructType } from '../../src/delta/index.js';
import { FEATURES } from '../../src/delta/protocol.js';
import { createTable, fakeAdd, NUMBERS } from '../support/table.js';

/** A table whose protocol lists the feature; `more` puts it in use. */
async function tableWith(
  feature: string,
  more: { configuration?: Record<string, string>; schema?: StructType } = {},
): Promise<DeltaTable> {
  const store = new MemoryObjectStore();
  const { metadata } = await createTable(new DeltaTable(store));
  const protocol = {
    minReaderVersion: 3,
    minWriterVersion: 7,
    readerFeatures: FEATURES[feature]?.reader === false ? [] : [feature],
    writerFeatures: [feature],
  };
  const configuration = more.configuration ?? {};
  const schemaString = more.schema ? JSON.stringify(more.schema) : metadata.schemaString;
  const lines = [{ protocol }, { metaData: { ...metadata, configuration, schemaString } }];
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  // Another writer's commit: ours would refuse to make some of these.
  await store.put('_delta_log/00000000000000000001.json', Buffer.from(text));
  return new DeltaTable(store);
}
const append = async (table: DeltaTable) => {
  const add: Action = { add: fakeAdd('f') };
  return table.commit({ base: await table.snapshot(), actions: [add], operation: 'WRITE', read: 'nothing' });
};
const column = (metadata: Record<string, unknown>): StructType => ({
  ...NUMBERS,
  fields: NUMBERS.fields.map((field) => ({ ...field, metadata })),
});

describe.each(Object.entries(FEATURES))('a table with the feature %s', (name, { read, write }) => {
  test(`is read, and ${write === 'no' ? 'not ' : ''}written while it is idle`, async () => {
    const table = await tableWith(name);
    expect((await table.snapshot()).version).toBe(1);
    expect(read).toBe(true);
    if (write === 'no') {
      await expect(append(table)).rejects.toMatchObject({
        code: 'DELTA_WRITE_UNSUPPORTED',
        message: expect.stringContaining(`'${name}'`) as unknown,
      });
    } else expect(await append(table)).toMatchObject({ status: 'committed', version: 2 });
  });
});

const IN_USE: Readonly<Record<string, Parameters<typeof tableWith>[1]>> = {
  invariants: { schema: column({ 'delta.invariants': '{"expression":{"expression":"n > 3"}}' }) },
  checkConstraints: { configuration: { 'delta.constraints.c': 'n > 3' } },
  changeDataFeed: { configuration: { 'delta.enableChangeDataFeed': 'true' } },
  generatedColumns: { schema: column({ 'delta.generationExpression': 'n' }) },
  columnMapping: { configuration: { 'delta.columnMapping.mode': 'name' } },
  identityColumns: { schema: column({ 'delta.identity.start': 1 }) },
  allowColumnDefaults: { schema: column({ CURRENT_DEFAULT: '1' }) },
};
const conditional = Object.entries(FEATURES).filter(([, { write }]) => write.startsWith('when'));

test('every feature that is written on a condition is tried in use', () => {
  expect(conditional.map(([name]) => name).sort()).toEqual(Object.keys(IN_USE).sort());
});

test.each(conditional)('%s in use: rows that nobody checked are refused', async (name) => {
  await expect(append(await tableWith(name, IN_USE[name]))).rejects.toMatchObject({
    code: 'DELTA_WRITE_UNSUPPORTED',
    message: expect.stringContaining(`'${name}', which is in use`) as unknown,
  });
});

test.each([
  [
    'reader',
    { minReaderVersion: 3, minWriterVersion: 7, readerFeatures: ['newThing'], writerFeatures: ['newThing'] },
  ],
  ['reader version', { minReaderVersion: 4, minWriterVersion: 7 }],
])('an unknown %s feature is refused by name', async (_, protocol) => {
  const store = new MemoryObjectStore();
  await createTable(new DeltaTable(store));
  await store.put('_delta_log/00000000000000000001.json', Buffer.from(JSON.stringify({ protocol })));
  await expect(new DeltaTable(store).snapshot()).rejects.toMatchObject({ code: 'DELTA_READ_UNSUPPORTED' });
});
