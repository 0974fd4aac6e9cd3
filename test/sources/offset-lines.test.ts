import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OffsetLines } from '../../src/connectors/sources/offset-lines.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'datalab-offsets-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function written(
  range: { from: number; to: number },
  use: (lines: OffsetLines) => void,
): Promise<{ text: string; lines: OffsetLines }> {
  const path = join(folder, 'lines');
  const lines = new OffsetLines(await open(path, 'w'), range);
  use(lines);
  await lines.close();
  const bytes = readFileSync(path);
  expect(lines.hash()).toBe(createHash('sha256').update(bytes).digest('hex'));
  return { text: bytes.toString(), lines };
}

describe('the lines of a stretch of offsets', () => {
  it('are one for each offset, of which a line tells its offset', async () => {
    const { text, lines } = await written({ from: 10, to: 16 }, (lines) => {
      lines.take(8, Buffer.from('{"old":1}'));
      lines.take(10, Buffer.from('{"a":1}'));
      lines.take(10, Buffer.from('{"again":1}'));
      lines.take(12, Buffer.from('{"a":3}'));
      lines.take(15, Buffer.from('{"a":6}'));
      lines.take(16, Buffer.from('{"late":1}'));
    });
    expect(text).toBe('\n{"a":1}\n\n{"a":3}\n\n\n{"a":6}\n');
    const at = text.split('\n').indexOf('{"a":3}') + 1;
    expect(at + lines.lineShift).toBe(12);
    expect(lines).toMatchObject({ isComplete: true, firstGap: 11 });
  });

  it('stay one line whatever the message holds', async () => {
    const { text } = await written({ from: 0, to: 4 }, (lines) => {
      lines.take(0, Buffer.from('{"a":\r\n 1}'));
      lines.take(1, null);
      lines.take(2, Buffer.alloc(0));
      lines.take(3, Buffer.from('é'));
    });
    expect(text).toBe('\n{"a":   1}\nnull\n""\né\n');
  });

  it('are blank to the end where nothing follows, and no further', async () => {
    const { text, lines } = await written({ from: 5, to: 8 }, (lines) => {
      lines.passOver(4);
      expect(lines.firstGap).toBeUndefined();
      lines.take(5, Buffer.from('x'));
      lines.passOver(100);
    });
    expect(text).toBe('\nx\n\n\n');
    expect(lines).toMatchObject({ isComplete: true, firstGap: 6 });
  });
});
