/** Zstandard as its own command line packs it, in any pieces, and refused where a byte is wrong or missing. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isZstd, unzstd, ZstdError } from '../../src/medallion/zstd.js';
import { seedOf } from '../support/seed.js';

/** `zstd -19 --check prices.csv`: one segment, its length, a checksum. */
const CHECKED = fixture('prices.csv');
/** `zstd --no-check < prices.csv`: a window, no length, no checksum. */
const STREAMED = fixture('stream');
/** The beginning of `zstd -1 --long=28 < prices.csv`: a window of 256 MiB. */
const LONG = fixture('long');
const PRICES = [
  'date,symbol,open,high,low,close,volume',
  ...Array.from({ length: 6000 }, (_, row) => {
    const day = String((row % 28) + 1).padStart(2, '0');
    return `2020-01-${day},S${row},10,12,9,11,${(row * 7919) % 100_003}`;
  }),
  '',
].join('\n');
const NOTE = Buffer.from('502a4d1805000000' + '0102030405', 'hex');

function fixture(name: string): Buffer {
  return readFileSync(new URL(`packed/${name}.zst`, import.meta.url));
}

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

async function text(bytes: Uint8Array, size = 1 << 16): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of unzstd(inPieces(bytes, size))) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** A frame of one block, or of none, without a length and with a window of 1 KiB. */
const frame = (...blocks: number[]): Buffer => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0, ...blocks]);

describe('frames', () => {
  it.each([1, 7, 4096, 1 << 20])('come out whole, in pieces of %i bytes', async (size) => {
    expect(await text(CHECKED, size)).toBe(PRICES);
    expect(await text(STREAMED, size)).toBe(PRICES);
  });

  it('follow one another, with notes in between that say nothing', async () => {
    const all = Buffer.concat([NOTE, CHECKED, NOTE, STREAMED, frame(1, 0, 0), CHECKED, NOTE]);
    expect(isZstd(NOTE) && isZstd(CHECKED)).toBe(true);
    expect(await text(all, 1000)).toBe(PRICES.repeat(3));
  });

  it('may hold nothing, a few bytes as they are, or one byte many times', async () => {
    expect(await text(frame(1, 0, 0))).toBe('');
    // Raw, the last, three bytes.
    expect(await text(frame(0x19, 0, 0, 0x61, 0x62, 0x63))).toBe('abc');
    // One byte five times, not the last; then the last, raw, one byte.
    expect(await text(frame(0x2a, 0, 0, 0x78, 0x09, 0, 0, 0x79))).toBe('xxxxxy');
  });
});

describe('refused is', () => {
  const refusal = (bytes: Uint8Array): Promise<string> =>
    text(bytes, 5000).then(
      () => 'nothing was refused',
      (error: unknown) => (error instanceof ZstdError ? error.message : String(error)),
    );

  it('nothing at all', async () => {
    expect(await refusal(new Uint8Array(0))).toMatch(/missing/);
  });

  it('what is cut off, at any byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(CHECKED, STREAMED),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        async (whole, part) => {
          const end = 1 + Math.floor(part * (whole.length - 1));
          expect(await refusal(whole.subarray(0, end))).toMatch(/missing|EOF/);
        },
      ),
      { numRuns: 60, seed: seedOf(20261129) },
    );
  });

  it('any wrong byte of what has a checksum', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(CHECKED.length - 5), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const wrong = Buffer.from(CHECKED);
        wrong[at + 4] = (wrong[at + 4] ?? 0) ^ change;
        // Without the bit that says so there is no checksum, and four bytes too many.
        expect(await refusal(wrong)).not.toBe('nothing was refused');
        await expect(text(wrong)).rejects.toBeInstanceOf(ZstdError);
      }),
      { numRuns: 60, seed: seedOf(20261129) },
    );
  });

  it('a wrong checksum, a wrong length, and anything behind the end', async () => {
    const checksum = Buffer.from(CHECKED);
    checksum[checksum.length - 1] = (checksum.at(-1) ?? 0) ^ 1;
    expect(await refusal(checksum)).toBe('the checksum is another one');
    // One segment that says four bytes, of which three come.
    const short = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x20, 4, 0x19, 0, 0, 0x61, 0x62, 0x63]);
    expect(await refusal(short)).toBe('4 bytes were packed and 3 came out');
    expect(await refusal(Buffer.concat([STREAMED, Buffer.from('tail')]))).toMatch(/something else/);
    expect(await refusal(Buffer.concat([STREAMED, Buffer.from('t')]))).toMatch(/missing/);
  });

  it('what takes more memory than is allowed, or a dictionary that is not here', async () => {
    expect(await refusal(LONG)).toMatch(/268435456 bytes .* 128 MiB .* without --long/);
    const dictionary = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 0, 7, 1, 0, 0]);
    expect(await refusal(dictionary)).toMatch(/dictionary/);
  });

  it('a block of no known kind or beyond its greatest size, and a reserved bit', async () => {
    expect(await refusal(frame(7, 0, 0))).toMatch(/no valid head/);
    expect(await refusal(frame(0x01, 0, 0xff))).toMatch(/no valid head/);
    expect(await refusal(Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 8, 0, 1, 0, 0]))).toMatch(/reserved/);
  });
});
