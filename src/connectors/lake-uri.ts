/** A lake URI with relative folders made absolute: `file://.datalab/lake` starts at the project. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';

export function resolveLakeUri(uri: string, projectDirectory: string): string {
  if (!uri.startsWith('file://')) return uri;
  const folder = uri.slice('file://'.length);
  return folder.startsWith('/') ? uri : pathToFileURL(path.resolve(projectDirectory, folder)).href;
}
