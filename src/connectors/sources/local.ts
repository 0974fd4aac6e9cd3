/** Sources on this machine: one file, a folder, or a glob. They are read where they lie. */
import { createHash } from 'node:crypto';
import { createReadStream, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { glob, isDynamicPattern } from 'tinyglobby';
import { DatalabError } from '../../contracts/errors.js';
import type { DownloadOptions, LocalSource, SourceObject } from '../../contracts/sources.js';
import { byPath } from './order.js';

const STATS_AT_ONCE = 64;

/**
 * Files at the location, which is a path or a `file://` URI, relative to `projectDirectory`. A glob may match nothing; a
 * path must be there: SOURCE_NOT_FOUND.
 */
export async function listLocal(
  location: string,
  projectDirectory: string,
  signal?: AbortSignal,
): Promise<SourceObject[]> {
  const written = location.startsWith('file://') ? fromFileUri(location) : location;
  const absolute = path.resolve(projectDirectory, written);
  const there = await statIfExists(absolute);
  if (there?.isFile()) return [sourceOf(absolute, there)];
  if (!there && !isDynamicPattern(written)) {
    throw new DatalabError('SOURCE_NOT_FOUND', `there is no file ${absolute}`);
  }
  const files = there
    ? await glob('*', { cwd: absolute, absolute: true })
    : await glob(written, { cwd: projectDirectory, absolute: true, ...(signal ? { signal } : {}) });
  const sources: SourceObject[] = [];
  for (let start = 0; start < files.length; start += STATS_AT_ONCE) {
    signal?.throwIfAborted();
    const batch = files.slice(start, start + STATS_AT_ONCE);
    const stats = await Promise.all(batch.map(statIfExists));
    // A file that went between listing and looking was never there.
    batch.forEach((file, index) => {
      const found = stats[index];
      if (found?.isFile()) sources.push(sourceOf(path.normalize(file), found));
    });
  }
  return byPath(sources);
}

/** Hashes the file where it lies. Throws SOURCE_CHANGED where it is not, or does not stay, what the listing saw. */
export async function downloadLocal(
  source: SourceObject,
  { signal, onBytes }: DownloadOptions = {},
): Promise<LocalSource> {
  const localPath = fileURLToPath(source.path);
  await requireUnchanged(source, localPath, 'since it was listed');
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(localPath, {
    highWaterMark: 1 << 20,
    signal,
  })) {
    hash.update(chunk as Buffer);
    onBytes?.((chunk as Buffer).length);
  }
  await requireUnchanged(source, localPath, 'while it was read');
  const contentHash = hash.digest('hex');
  return { ...source, localPath, sourceId: contentHash, contentHash };
}

async function requireUnchanged(source: SourceObject, localPath: string, when: string): Promise<void> {
  const now = await statIfExists(localPath);
  if (now === undefined) throw new DatalabError('SOURCE_CHANGED', `${source.path} went away ${when}`);
  const { sizeBytes, modifiedMs } = sourceOf(localPath, now);
  if (sizeBytes === source.sizeBytes && modifiedMs === source.modifiedMs) return;
  throw new DatalabError(
    'SOURCE_CHANGED',
    `${source.path} changed ${when}: ${source.sizeBytes} bytes then, ${sizeBytes} now`,
  );
}

function sourceOf(absolute: string, stats: Stats): SourceObject {
  return {
    path: pathToFileURL(absolute).href,
    sizeBytes: stats.size,
    modifiedMs: Math.trunc(stats.mtimeMs),
  };
}

/** The path of a `file://` location; a glob's characters are no URI, so only what is escaped is decoded. */
function fromFileUri(location: string): string {
  const text = location.slice('file://'.length);
  return /%[0-9A-Fa-f]{2}/.test(text) ? decodeURIComponent(text) : text;
}

async function statIfExists(file: string): Promise<Stats | undefined> {
  try {
    return await stat(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
