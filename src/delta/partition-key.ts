/**
 * Which files are of one partition. Writers spell one value in several ways (`1e300` and `1.0E300`; timestamps with and
 * without `T`, zone and fraction), so texts are compared by what they mean.
 */
import type { AddFile } from './actions.js';
import type { Snapshot } from './api.js';
import { bytesOfText, isEscaped } from './binary-text.js';
import { physicalName } from './physical-name.js';
import { decimalOf } from './schema-json.js';
import type { DataType } from './schema.js';
import { parseMicros } from './timestamp.js';

/** Equal for files of one partition of the snapshot's table, whoever wrote them. */
export function partitionKeyOf(
  snapshot: Pick<Snapshot, 'schema' | 'partitionColumns' | 'protocol' | 'metadata'>,
): (file: Pick<AddFile, 'partitionValues'>) => string {
  const columns = snapshot.schema.fields
    .filter(({ name }) => snapshot.partitionColumns.includes(name))
    .map((field) => ({ name: physicalName(snapshot, field), type: field.type }));
  return ({ partitionValues }) =>
    JSON.stringify(columns.map(({ name, type }) => canonicalText(type, partitionValues[name])));
}

/** The values for a file that takes the rows of several files of one partition; a spelling that everybody reads, if any. */
export function sharedValues(files: readonly AddFile[]): AddFile['partitionValues'] {
  const plain = files.find(({ partitionValues }) => !Object.values(partitionValues).some(isEscaped));
  return (plain ?? files[0])?.partitionValues ?? {};
}

/** One spelling for all that stand for the value; a text that is none of the type's stays as it is. */
export function canonicalText(type: DataType, text: string | null | undefined): string | null {
  if (text === null || text === undefined || type === 'string') return text ?? null;
  if (type === 'binary') return bytesOfText(text).toString('hex');
  if (text === '') return null;
  switch (type) {
    case 'long':
    case 'integer':
    case 'short':
    case 'byte':
      return /^[+-]?\d+$/.test(text) ? String(BigInt(text.replace('+', ''))) : text;
    case 'float':
    case 'double':
      return canonicalNumber(type, text);
    case 'boolean':
      return text.toLowerCase();
    case 'timestamp':
    case 'timestamp_ntz':
      return String(parseMicros(text) ?? text);
    default:
      return decimalOf(type) ? canonicalDecimal(text) : text;
  }
}

function canonicalNumber(type: 'float' | 'double', text: string): string {
  const number = Number(text);
  if (Number.isNaN(number)) return text.toLowerCase();
  return String(type === 'float' ? Math.fround(number) : number);
}

/** Digits and exponent without zeros that say nothing: `1.50`, `1.5` and `15E-1` are one. */
function canonicalDecimal(text: string): string {
  const match = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (!match) return text;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = (whole + fraction).replace(/^0+/, '');
  const kept = digits.replace(/0+$/, '');
  if (kept === '') return '0';
  const power = Number(exponent) - fraction.length + (digits.length - kept.length);
  return `${sign === '-' ? '-' : ''}${kept}e${power}`;
}
