/** The examples of docs/reference/flows.md. */
import { readFileSync } from 'node:fs';

const PAGE = readFileSync(new URL('../../docs/reference/flows.md', import.meta.url), 'utf8');

/** Parsed JSON of the blocks that are marked `json <kind>`. */
export function examples(
  kind:
    | 'input'
    | 'result'
    | 'maintenance'
    | 'replay'
    | 'backfill'
    | 'lake-maintenance'
    | 'training'
    | 'deployment'
    | 'backup',
): unknown[] {
  return [...PAGE.matchAll(new RegExp(`^\`\`\`json ${kind}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => JSON.parse(text) as unknown,
  );
}

/** The arguments of the one command of Temporal's own command line that starts a flow. */
export function startCommand(): string[] {
  const line = /^temporal (workflow start .*)$/m.exec(PAGE)?.[1] ?? '';
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}
