/** Bad input and what becomes of it, as data: the tests run it, and docs/reference/bad-input.md says the same. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

export const HEADER = 'date,symbol,open,high,low,close,volume';
const good = (day: number, symbol = 'A'): string =>
  `2020-01-${String(day).padStart(2, '0')},${symbol},10,12,9,11,100`;
const csv = (...lines: string[]): string => [HEADER, ...lines, ''].join('\n');

/** What a layer says of its rows: rule and line of each that it refused (`null`: the file as a whole). */
export type Refused = ReadonlyArray<readonly [rule: string, line: number | null]>;

export interface BadInput {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  /** Error code, where the input stops the run. */
  readonly error?: string;
  readonly read?: number;
  readonly bronze?: Refused;
  /** `duplicate` and refused rows of Silver; lines are those of the source. */
  readonly duplicate?: number;
  readonly silver?: Refused;
  /** Lines that reach Silver. */
  readonly lines?: readonly number[];
}

const zipped = gzipSync(csv(good(1), good(2)));
const corrupt = flipped(zipped, zipped.length - 6);
/** Six thousand prices. */
const packed = readFileSync(new URL('packed/prices.csv.zst', import.meta.url));
const WHOLE = { read: 1, bronze: [['zstd_damaged', null]], lines: [] } as const;
function flipped(bytes: Uint8Array, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0xff;
  return copy;
}
const many = Array.from({ length: 5000 }, (_, index) => good((index % 28) + 1, `S${index}`));
const latin1 = Buffer.concat([
  Buffer.from(csv(good(1)).slice(0, -1)),
  Buffer.from('\n2020-01-02,Ç,10,12,9,11,100\n', 'latin1'),
  Buffer.from(`${good(3)}\n`),
]);

export const BAD_INPUTS: readonly BadInput[] = [
  { name: 'empty file', bytes: '', read: 0, lines: [] },
  { name: 'header only', bytes: csv(), read: 0, lines: [] },
  { name: 'header only, no line end', bytes: HEADER, read: 0, lines: [] },
  { name: 'wrong delimiter', bytes: csv(good(1)).replaceAll(',', ';'), error: 'SOURCE_HEADER_MISMATCH' },
  { name: 'byte order mark', bytes: `\uFEFF${csv(good(1))}`, read: 1, lines: [2] },
  { name: 'CRLF', bytes: csv(good(1), good(2)).replaceAll('\n', '\r\n'), read: 2, lines: [2, 3] },
  {
    name: 'mixed line ends',
    bytes: `${HEADER}\r\n${good(1)}\n${good(2)}\r\n${good(3)}`,
    read: 3,
    lines: [2, 3, 4],
  },
  { name: 'no line end at the end', bytes: csv(good(1)).trim(), read: 1, lines: [2] },
  {
    name: 'quoted newlines, line numbers kept',
    bytes: csv('2020-01-01,"A\nB",10,12,9,11,100', good(2)),
    read: 2,
    lines: [2, 4],
  },
  {
    name: 'quoted delimiters and quotes',
    bytes: csv('2020-01-01,"A,""B""",10,12,9,11,100'),
    read: 1,
    lines: [2],
  },
  {
    name: 'stray opening quote, never closed',
    bytes: csv('2020-01-01,"A,10,12,9,11,100', ...many),
    read: 1,
    bronze: [['stray_quote', null]],
    lines: [],
  },
  {
    name: 'stray opening quote, closed by a later field',
    bytes: csv(good(1), '2020-01-01,"A,10,12,9,11,100', ...many, '2020-01-02,"B",10,12,9,11,100'),
    read: 1,
    bronze: [['stray_quote', null]],
    lines: [],
  },
  {
    name: 'quote inside a quoted field',
    bytes: csv('2020-01-01,"A"B,10,12,9,11,100', good(2)),
    read: 2,
    bronze: [['bad_quote', 2]],
    lines: [3],
  },
  { name: 'blank lines', bytes: csv('', good(1), '', '', good(2), ''), read: 2, lines: [3, 6] },
  { name: 'invalid UTF-8', bytes: latin1, read: 3, bronze: [['bad_encoding', 3]], lines: [2, 4] },
  {
    name: 'truncated gzip',
    bytes: gzipSync(csv(...many)).subarray(0, 3000),
    read: 1,
    bronze: [['gzip_damaged', null]],
    lines: [],
  },
  { name: 'corrupt gzip', bytes: corrupt, read: 1, bronze: [['gzip_damaged', null]], lines: [] },
  { name: 'truncated zstd', bytes: packed.subarray(0, 9000), ...WHOLE },
  { name: 'corrupt zstd', bytes: flipped(packed, 9000), ...WHOLE },
  {
    name: 'renamed required column',
    bytes: csv(good(1)).replace('close', 'Close'),
    error: 'SOURCE_HEADER_MISMATCH',
  },
  { name: 'removed required column', bytes: 'date,symbol\n2020-01-01,A\n', error: 'SOURCE_HEADER_MISMATCH' },
  {
    name: 'column there twice',
    bytes: csv(good(1)).replace('volume', 'close,volume'),
    error: 'SOURCE_HEADER_MISMATCH',
  },
  {
    name: 'reordered header',
    bytes: 'symbol,volume,close,low,high,open,date\nA,100,11,9,12,10,2020-01-01\n',
    read: 1,
    lines: [2],
  },
  { name: 'added column', bytes: `${HEADER},more\n${good(1)},x\n`, read: 1, lines: [2] },
  { name: '100,000-character field', bytes: csv(good(1, 'x'.repeat(100_000))), read: 1, lines: [2] },
  {
    name: '3,000,000-character field',
    bytes: csv(good(1, 'x'.repeat(3_000_000)), good(2)),
    read: 2,
    bronze: [['line_too_long', 2]],
    lines: [3],
  },
  {
    name: 'too few columns, also with a bad value or a long field before',
    bytes: csv('2020-01-01,A,10', `x,${'y'.repeat(100_000)},z`, good(3)),
    read: 3,
    bronze: [
      ['missing_columns', 2],
      ['missing_columns', 3],
    ],
    lines: [4],
  },
  {
    name: 'too many columns',
    bytes: csv(`${good(1)},1`, good(2)),
    read: 2,
    bronze: [['extra_columns', 2]],
    lines: [3],
  },
  { name: 'one empty column too many', bytes: csv(`${good(1)},`), read: 1, lines: [2] },
  ...[
    ['2020-02-30', 'a day that is not'],
    ['2020/01/02', 'a date written otherwise'],
    ['infinity', 'an infinite date'],
    ['epoch', 'a date by name'],
    ['2020-01-02 10:00:00', 'a time where a date should be'],
    ['-2020-01-01', 'a year before Christ'],
    ['20-01-02', 'a year without its century'],
    ['2020-01-02x', 'a date with a tail'],
  ].map(([date, name]): BadInput => ({
    name: name ?? '',
    bytes: csv(`${date},A,10,12,9,11,100`),
    read: 1,
    bronze: [['bad_value', 2]],
    lines: [],
  })),
  ...['2020-1-2', ' 2020-01-02 ', '1900-01-01', '0020-01-02'].map((date): BadInput => ({
    name: `date ${date.trim()}${date === date.trim() ? '' : ' between spaces'}`,
    bytes: csv(`${date},A,10,12,9,11,100`),
    read: 1,
    ...(date.startsWith('0') ? { silver: [['date_implausible', 2]], lines: [] } : { lines: [2] }),
  })),
  ...['1.5', '1e3', '1_000', '99999999999999999999', '0x10', 'many'].map((volume): BadInput => ({
    name: `volume ${volume}`,
    bytes: csv(`2020-01-01,A,10,12,9,11,${volume}`, good(2)),
    read: 2,
    bronze: [['bad_value', 2]],
    lines: [3],
  })),
  { name: 'volume +007', bytes: csv('2020-01-01,A,10,12,9,11,+007'), read: 1, lines: [2] },
  {
    name: 'price 1_0',
    bytes: csv('2020-01-01,A,1_0,12,9,11,1'),
    read: 1,
    bronze: [['bad_value', 2]],
    lines: [],
  },
  {
    name: 'retyped column',
    bytes: csv('2020-01-01,A,ten,12,9,11,1'),
    read: 1,
    bronze: [['bad_value', 2]],
    lines: [],
  },
  ...['nan', 'NaN', 'inf', '-inf', 'Infinity', '1e400'].map((price): BadInput => ({
    name: `price ${price}`,
    bytes: csv(`2020-01-01,A,10,${price},9,11,100`, good(2)),
    read: 2,
    silver: [[price === '-inf' ? 'price_not_positive' : 'price_not_finite', 2]],
    lines: [3],
  })),
  {
    name: 'price 1e-200',
    bytes: csv('2020-01-01,A,1e-200,1e-200,1e-200,1e-200,100', good(2)),
    read: 2,
    silver: [['price_not_finite', 2]],
    lines: [3],
  },
  {
    name: 'negative price',
    bytes: csv('2020-01-01,A,-1,12,9,11,100'),
    read: 1,
    silver: [['price_not_positive', 2]],
    lines: [],
  },
  {
    name: 'missing price',
    bytes: csv('2020-01-01,A,,12,9,11,100'),
    read: 1,
    silver: [['price_not_positive', 2]],
    lines: [],
  },
  {
    name: 'high below low',
    bytes: csv('2020-01-01,A,10,9,12,11,100'),
    read: 1,
    silver: [['price_range_broken', 2]],
    lines: [],
  },
  {
    name: 'negative volume',
    bytes: csv('2020-01-01,A,10,12,9,11,-1'),
    read: 1,
    silver: [['volume_negative', 2]],
    lines: [],
  },
  {
    name: 'missing keys',
    bytes: csv(',A,10,12,9,11,100', '2020-01-01,,10,12,9,11,100', ',,,,,,', good(2)),
    read: 4,
    silver: [
      ['key_missing', 2],
      ['key_missing', 3],
      ['key_missing', 4],
    ],
    lines: [5],
  },
  { name: 'exact duplicates', bytes: csv(good(1), good(1), good(1)), read: 3, duplicate: 2, lines: [4] },
  {
    name: 'conflicting duplicates: the last one stays',
    bytes: csv(good(1), '2020-01-01, a ,10,12,9,10,7'),
    read: 2,
    duplicate: 1,
    lines: [3],
  },
];
