/** Deletion vectors: which rows of a data file are gone. */
import { crc32 } from 'node:zlib';
import type { AddFile, DeletionVector } from './actions.js';
import { DeltaError } from './errors.js';
import { mapLimited } from './limit.js';
import { canonicalPath, keyOfPath } from './path.js';
import type { ObjectStore } from './ports.js';
import { decodeBitmapArray } from './roaring.js';
import { decodeZ85 } from './z85.js';

const PARALLEL_GETS = 16;
const FORMAT_VERSION = 1;
/** 16 bytes of UUID in z85. */
const UUID_CHARACTERS = 20;

/**
 * Deleted row positions, ascending, by canonical path of the data file; files without a vector are left out. Throws
 * DELTA_DELETION_VECTOR_INVALID where size, checksum or cardinality disagree.
 */
export async function loadDeletedRows(
  store: ObjectStore,
  files: readonly AddFile[],
): Promise<Map<string, readonly number[]>> {
  const vectors = files.filter((file) => file.deletionVector !== undefined);
  // Many vectors share one file: each is fetched once.
  const fetched = new Map<string, Promise<Uint8Array>>();
  const get = (key: string): Promise<Uint8Array> => {
    const known = fetched.get(key) ?? store.get(key);
    fetched.set(key, known);
    return known;
  };
  const rows = await mapLimited(vectors, PARALLEL_GETS, async (file) => {
    const vector = file.deletionVector as DeletionVector;
    return readVector(vector, file.path, (path) => get(keyOfPath(path, store.uri)));
  });
  return new Map(vectors.map((file, index) => [canonicalPath(file.path), rows[index] ?? []]));
}

/** Path of the file that a vector is in, as an `add` would name it; undefined for an inline one. */
export function vectorPath(vector: DeletionVector): string | undefined {
  if (vector.storageType === 'i') return undefined;
  if (vector.storageType === 'p') return vector.pathOrInlineDv;
  const cut = vector.pathOrInlineDv.length - UUID_CHARACTERS;
  const prefix = vector.pathOrInlineDv.slice(0, cut);
  const hex = Buffer.from(decodeZ85(vector.pathOrInlineDv.slice(cut))).toString('hex');
  const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return `${prefix === '' ? '' : `${prefix}/`}deletion_vector_${uuid}.bin`;
}

async function readVector(
  vector: DeletionVector,
  dataPath: string,
  get: (path: string) => Promise<Uint8Array>,
): Promise<readonly number[]> {
  try {
    const path = vectorPath(vector);
    const bitmap =
      path === undefined
        ? decodeZ85(vector.pathOrInlineDv).subarray(0, vector.sizeInBytes)
        : bitmapAt(await get(path), vector);
    const rows = decodeBitmapArray(bitmap);
    if (rows.length !== vector.cardinality) {
      throw new Error(`it has ${rows.length} rows, the log says ${vector.cardinality}`);
    }
    return rows;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DeltaError(
      'DELTA_DELETION_VECTOR_INVALID',
      `the deletion vector of '${dataPath}' cannot be used: ${reason}`,
      { cause },
    );
  }
}

/** The bitmap at the vector's offset, its size and checksum verified. */
function bitmapAt(file: Uint8Array, vector: DeletionVector): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint8(0) !== FORMAT_VERSION) throw new Error(`its file has format version ${view.getUint8(0)}`);
  const offset = vector.offset ?? 1;
  const size = view.getInt32(offset);
  if (size !== vector.sizeInBytes)
    throw new Error(`it has ${size} bytes, the log says ${vector.sizeInBytes}`);
  const bitmap = file.subarray(offset + 4, offset + 4 + size);
  if (bitmap.byteLength !== size) throw new Error('its file is cut short');
  const checksum = view.getUint32(offset + 4 + size);
  if (checksum !== crc32(bitmap)) throw new Error('its checksum is wrong');
  return bitmap;
}
