/** Numbering lines in bulk gives what numbering them one by one would. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Spool } from '../../src/medallion/spool.js';

let folder: string;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'datalab-spool-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Numbering {
  readonly before: string;
  readonly firstLine: number;
  readonly after: string;
}

async function spooled(
  pieces: readonly string[],
  { before, firstLine, after }: Numbering,
): Promise<{ text: string; lines: number; records: number }> {
  const spool = await Spool.create(join(folder, `spool-${files++}`));
  let lines = 0;
  let records = 0;
  for (const piece of pieces) {
    // Not at the start of its memory, as a piece of a larger chunk is.
    const bytes = Buffer.from(`###${piece}`).subarray(3);
    const taken = spool.appendNumbered(bytes, { before, firstLine: firstLine + lines, after });
    lines += taken.lines;
    records += taken.records;
    await spool.flushIfFull();
  }
  await spool.close();
  return { text: await readFile(spool.path, 'utf8'), lines, records };
}

function oneByOne(
  pieces: readonly string[],
  { before, firstLine, after }: Numbering,
): { text: string; lines: number; records: number } {
  const lines = pieces.join('').split('\n').slice(0, -1);
  const numbered = lines.map((line, index) => {
    const text = line.replace(/\r$/, '');
    return text === '' ? '' : `${before}${firstLine + index}${after}${text}\n`;
  });
  return {
    text: numbered.join(''),
    lines: lines.length,
    records: numbered.filter((line) => line !== '').length,
  };
}

const line = fc
  .tuple(
    fc.string({
      unit: fc.constantFrom('a', '7', ',', 'é', '😀', '\r', '\u000b', '\u008a', '\u0a0a'),
      maxLength: 13,
    }),
    fc.constantFrom('\n', '\r\n'),
  )
  // A line that itself ends in CR is not what is asked about here: one CR before LF is part of the line's end.
  .map(([text, end]) => `${text.replace(/\r+$/, '')}${end}`);
const pieces = fc.array(
  fc.array(line, { minLength: 1, maxLength: 30 }).map((lines) => lines.join('')),
  { maxLength: 4 },
);
const numbering = fc.record({
  before: fc.constantFrom('', '0,', '12;', '345\u001f'),
  firstLine: fc.constantFrom(1, 2, 8, 9, 98, 995, 99_999, 1_234_567, 9_999_999_990),
  after: fc.constantFrom('', ',', '\u001f', '\t'),
});

it('equals numbering line by line, whatever the lines, their ends and their numbers', async () => {
  await fc.assert(
    fc.asyncProperty(pieces, numbering, async (given, numbers) => {
      expect(await spooled(given, numbers)).toEqual(oneByOne(given, numbers));
    }),
    { seed: 20_261_130, numRuns: 300 },
  );
});

it('grows for many short lines', async () => {
  const numbers = { before: '0,', firstLine: 1, after: ',' };
  const many = ['x\n'.repeat(400_000), '\n'.repeat(1000), 'y\r\n'.repeat(300_000)];
  const found = await spooled(many, numbers);
  expect(found).toEqual(oneByOne(many, numbers));
});
