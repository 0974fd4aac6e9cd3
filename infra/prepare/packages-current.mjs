/**
 * Exits 0 when node_modules holds what package-lock.json asks for. npm writes node_modules/.package-lock.json at the end
 * of an install, so an interrupted install is seen as stale. Packages for other platforms may be absent.
 */
import { readFileSync } from 'node:fs';

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
  } catch {
    return undefined;
  }
}

const wanted = read('package-lock.json');
const installed = read('node_modules/.package-lock.json');
const current =
  wanted !== undefined &&
  installed !== undefined &&
  Object.entries(wanted).every(([path, entry]) => {
    const found = installed[path];
    if (path === '') return true;
    return found === undefined
      ? entry.optional === true || entry.peer === true || entry.devOptional === true
      : found.version === entry.version;
  });
process.exit(current ? 0 : 1);
