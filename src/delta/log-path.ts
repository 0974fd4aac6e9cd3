/** Names of the objects in `_delta_log`, parsed once into a closed set of kinds. */

export const LOG_DIRECTORY = '_delta_log';
export const HINT_KEY = `${LOG_DIRECTORY}/_last_checkpoint`;
export const SIDECAR_DIRECTORY = `${LOG_DIRECTORY}/_sidecars`;

/**
 * What an object of the log is. `other` is everything that a reader passes over: foreign names, temporary files,
 * folders, and kinds that later protocols may add.
 */
export type LogPath =
  | { readonly kind: 'commit'; readonly version: number }
  | { readonly kind: 'checkpoint'; readonly version: number; readonly form: 'classic' }
  | {
      readonly kind: 'checkpoint';
      readonly version: number;
      readonly form: 'multipart';
      readonly part: number;
      readonly parts: number;
    }
  | {
      readonly kind: 'checkpoint';
      readonly version: number;
      readonly form: 'uuid';
      readonly format: 'json' | 'parquet';
    }
  | { readonly kind: 'compacted'; readonly from: number; readonly to: number }
  | { readonly kind: 'checksum'; readonly version: number }
  | { readonly kind: 'other' };

const VERSION = /^\d{20}$/;
const PART = /^\d{10}$/;
const UUID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;
const OTHER: LogPath = { kind: 'other' };

/** Kind of a key directly under `_delta_log/`; keys elsewhere or deeper are `other`. */
export function parseLogPath(key: string): LogPath {
  const prefix = `${LOG_DIRECTORY}/`;
  if (!key.startsWith(prefix) || key.indexOf('/', prefix.length) >= 0) return OTHER;
  const [head, ...rest] = key.slice(prefix.length).split('.');
  const version = parseVersion(head);
  if (version === undefined) return OTHER;
  switch (rest.length) {
    case 1:
      if (rest[0] === 'json') return { kind: 'commit', version };
      if (rest[0] === 'crc') return { kind: 'checksum', version };
      return OTHER;
    case 2:
      return rest[0] === 'checkpoint' && rest[1] === 'parquet'
        ? { kind: 'checkpoint', version, form: 'classic' }
        : OTHER;
    case 3:
      return parseThreeParts(version, rest);
    case 4:
      return parseMultipart(version, rest);
    default:
      return OTHER;
  }
}

function parseThreeParts(version: number, rest: readonly string[]): LogPath {
  const [first = '', second = '', third] = rest;
  if (first === 'checkpoint' && UUID.test(second) && (third === 'json' || third === 'parquet')) {
    return { kind: 'checkpoint', version, form: 'uuid', format: third };
  }
  const to = parseVersion(first);
  if (to !== undefined && second === 'compacted' && third === 'json') {
    return to > version ? { kind: 'compacted', from: version, to } : OTHER;
  }
  return OTHER;
}

function parseMultipart(version: number, rest: readonly string[]): LogPath {
  const [word, partText = '', partsText = '', extension] = rest;
  if (word !== 'checkpoint' || extension !== 'parquet') return OTHER;
  if (!PART.test(partText) || !PART.test(partsText)) return OTHER;
  const part = Number(partText);
  const parts = Number(partsText);
  if (part < 1 || part > parts) return OTHER;
  return { kind: 'checkpoint', version, form: 'multipart', part, parts };
}

function parseVersion(text: string | undefined): number | undefined {
  if (text === undefined || !VERSION.test(text)) return undefined;
  const version = Number(text);
  return Number.isSafeInteger(version) ? version : undefined;
}

/** Twenty digits, so that names sort by version. */
export function versionText(version: number): string {
  return String(version).padStart(20, '0');
}

/** Key of a commit file. */
export function commitKey(version: number): string {
  return `${LOG_DIRECTORY}/${versionText(version)}.json`;
}

/** Key of a checkpoint that is one Parquet file. */
export function checkpointKey(version: number): string {
  return `${LOG_DIRECTORY}/${versionText(version)}.checkpoint.parquet`;
}
