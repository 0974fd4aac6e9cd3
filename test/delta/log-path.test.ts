import { expect, test } from 'vitest';
import { commitKey, parseLogPath } from '../../src/delta/log-path.js';

const V7 = '00000000000000000007';
const UUID = '80a083e8-7026-4e79-81be-64bd76c43a11';

test.each([
  [`${V7}.json`, { kind: 'commit', version: 7 }],
  [`${V7}.crc`, { kind: 'checksum', version: 7 }],
  [`${V7}.checkpoint.parquet`, { kind: 'checkpoint', version: 7, form: 'classic' }],
  [`${V7}.checkpoint.${UUID}.json`, { kind: 'checkpoint', version: 7, form: 'uuid', format: 'json' }],
  [`${V7}.checkpoint.${UUID}.parquet`, { kind: 'checkpoint', version: 7, form: 'uuid', format: 'parquet' }],
  [
    `${V7}.checkpoint.0000000002.0000000003.parquet`,
    { kind: 'checkpoint', version: 7, form: 'multipart', part: 2, parts: 3 },
  ],
  [`${V7}.00000000000000000009.compacted.json`, { kind: 'compacted', from: 7, to: 9 }],
])('%s is known', (name, kind) => {
  expect(parseLogPath(`_delta_log/${name}`)).toEqual(kind);
});

test.each([
  '7.json',
  '0000000000000000007.json',
  '000000000000000000007.json',
  '99999999999999999999.json',
  `${V7}.json.tmp`,
  `.${V7}.json.crc`,
  `${V7}.checkpoint.0000000004.0000000003.parquet`,
  `${V7}.checkpoint.0000000000.0000000003.parquet`,
  `${V7}.checkpoint.2.3.parquet`,
  `${V7}.checkpoint.not-a-uuid.parquet`,
  `${V7}.checkpoint.json`,
  `${V7}.00000000000000000007.compacted.json`,
  `_staged_commits/${V7}.${UUID}.json`,
  `_sidecars/${UUID}.parquet`,
  '_last_checkpoint',
  '',
])('%s is passed over', (name) => {
  expect(parseLogPath(`_delta_log/${name}`)).toEqual({ kind: 'other' });
});

test('only the log itself counts', () => {
  expect(parseLogPath(`other/${V7}.json`)).toEqual({ kind: 'other' });
  expect(parseLogPath(commitKey(7))).toEqual({ kind: 'commit', version: 7 });
});
