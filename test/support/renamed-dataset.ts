/** A dataset of the project under other names, so that trials that must not meet can share a lake and its workers. */
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { PROJECT } from './worker-process.js';

/**
 * Copies `stocks` into the folder as `<name>`; its Gold tables are `<name>_monthly` and so on. Its source is the sample of
 * the project, or `location`. Models stay behind.
 */
export function copyStocks(datasets: string, name: string, location = 'data/samples/stocks.csv.gz'): void {
  const folder = path.join(datasets, name);
  cpSync(path.join(PROJECT, 'datasets', 'stocks'), folder, { recursive: true });
  rmSync(path.join(folder, 'models'), { recursive: true, force: true });
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8')
      .replace(/location: .*/, `location: ${location}`)
      .split('\n')
      .map((line) => (line.includes('location: ') ? line : line.replaceAll('stocks', name)));
    const renamed = path.join(entry.parentPath, entry.name.replace('stocks', name));
    rmSync(file);
    writeFileSync(renamed, text.join('\n'));
  }
}
