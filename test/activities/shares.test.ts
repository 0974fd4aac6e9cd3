/** New sources in shares: each once, and what several workers wrote is what one would have. */
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { sharesOf } from '../../src/activities/shares.js';
import { parseConfig } from '../../src/config/config.js';
import type { SourceObject } from '../../src/contracts/sources.js';
import { seedOf } from '../support/seed.js';
import { Lab } from './lab.js';

const source = (sizeBytes: number, index: number): SourceObject => ({
  path: `file:///in/${String(index).padStart(3, '0')}`,
  ...{ sizeBytes, modifiedMs: 0 },
});

describe('shares', () => {
  it('hold every source once, in order, those of one size together, about so many bytes each', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(20), { maxLength: 40 }),
        fc.integer({ min: 1, max: 60 }),
        (sizes, shareBytes) => {
          const sources = sizes.map(source);
          const shares = sharesOf(sources, shareBytes);
          const total = sizes.reduce((sum, size) => sum + size, 0);
          if (shares.length === 0) return total <= shareBytes || new Set(sizes).size < 2;
          expect(shares.flat().sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(sources);
          for (const share of shares) {
            expect(share.length).toBeGreaterThan(0);
            expect([...share].sort((a, b) => (a.path < b.path ? -1 : 1))).toEqual(share);
            for (const { sizeBytes } of share)
              expect(shares.filter((one) => one.some((other) => other.sizeBytes === sizeBytes))).toHaveLength(
                1,
              );
          }
          return shares.length === Math.min(Math.ceil(total / shareBytes), new Set(sizes).size, 64);
        },
      ),
      { seed: seedOf(20261129) },
    );
  });

  it('are as even as their sources allow, and at most 64', () => {
    const bytes = (share: readonly SourceObject[]) =>
      share.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(sharesOf([70, 10, 20, 40, 30].map(source), 60).map(bytes).sort()).toEqual([50, 50, 70]);
    expect(
      sharesOf(
        Array.from({ length: 500 }, (_, size) => source(1000 + size, size)),
        1,
      ),
    ).toHaveLength(64);
  });

  it('are none of a topic, nor of sources whose size nobody knows', () => {
    const offsets = { clusterId: 'c', topic: 't', partition: 0, from: 0, to: 1_000_000 };
    expect(
      sharesOf(
        [0, 1].map((index) => ({ ...source(1e9 + index, index), offsets })),
        10,
      ),
    ).toEqual([]);
    expect(
      sharesOf(
        [0, 1, 2].map((index) => source(0, index)),
        10,
      ),
    ).toEqual([]);
  });
});

describe('a run whose sources go by shares', () => {
  const labs: Lab[] = [];
  afterEach(() => labs.splice(0).forEach((lab) => lab.close()));

  function newLab(shareBytes: number): Lab {
    const config = parseConfig(`worker: { shareMb: ${shareBytes / 2 ** 20} }`, {});
    const lab = new Lab({ deps: () => ({ config }) });
    labs.push(lab);
    return lab;
  }

  /** Rows that are good, bad, there twice; a file that is there twice. */
  function fill(lab: Lab): void {
    lab.source('a.csv', '1,ann,10', '2,bob,20');
    lab.source('b.csv', '3,eve,-1', '4,zoe,40', 'not a number,x,1');
    lab.source('copy-of-a.csv', '1,ann,10', '2,bob,20');
    lab.source('d.csv', '1,ann,11', '5,tom,50', '6,kim,60', '7,lee,70');
    lab.source('e.csv', 'broken');
  }
  const bronze = (lab: Lab) =>
    lab.rows(
      'bronze/sales',
      "split(_source_file, '/')[-1] AS file, _source_line AS line, id, name, amount",
      'ORDER BY ALL',
    );

  it('has the rows, the ledger and the quarantine that it has otherwise, in one commit', async () => {
    const [whole, shared] = [newLab(1e9), newLab(40)];
    const [one, many] = [whole, shared].map((lab) => {
      fill(lab);
      return lab.newRun();
    }) as [ReturnType<Lab['newRun']>, ReturnType<Lab['newRun']>];
    const plain = await whole.run({}, one);
    const parted = await shared.run({}, many);
    expect(plain.discovery.shares).toBeUndefined();
    expect(parted.discovery.shares?.length).toBeGreaterThan(2);
    expect(parted.bronze?.ledger).toEqual(plain.bronze?.ledger);
    expect(parted.bronze?.ledger.quarantined).toBeGreaterThan(0);
    expect(await bronze(shared)).toEqual(await bronze(whole));
    expect(await shared.refused()).toEqual(await whole.refused());
    expect(await shared.version('bronze/sales')).toBe(0);
    expect(await shared.rows('silver/sales', 'id, name, amount', 'ORDER BY id')).toEqual(
      await whole.rows('silver/sales', 'id, name, amount', 'ORDER BY id'),
    );
    // Everything is known now, also the copy.
    expect((await shared.run()).discovery).toMatchObject({ listed: 5, known: 5, fresh: 0 });
  });

  it('takes nothing where every share is known under another name', async () => {
    const lab = newLab(20);
    lab.source('a.csv', '1,ann,10');
    lab.source('b.csv', '2,robert,20');
    await lab.run();
    lab.source('c.csv', '1,ann,10');
    lab.source('d.csv', '2,robert,20');
    const { discovery, bronze: published } = await lab.run();
    expect(discovery.shares).toHaveLength(2);
    expect(published).toBeNull();
    expect(await lab.version('bronze/sales')).toBe(0);
  });

  it('begins anew where somebody published between its shares, and loses and doubles nothing', async () => {
    const lab = newLab(40);
    fill(lab);
    const run = lab.newRun();
    const { shares = [] } = await lab.do('discoverSources', run);
    const written = [await lab.do('writeBronze', run, shares[0] ?? '')];
    await lab.run();
    for (const share of shares.slice(1)) written.push(await lab.do('writeBronze', run, share));
    const { manifest } = await lab.do('gatherBronze', run, written);
    const published = await lab.do('publish', run, manifest ?? '');
    expect(published.status).toBe('conflict');
    const whole = newLab(1e9);
    fill(whole);
    await whole.run();
    expect(await bronze(lab)).toEqual(await bronze(whole));
    expect(await lab.refused()).toEqual(await whole.refused());
  });
});
