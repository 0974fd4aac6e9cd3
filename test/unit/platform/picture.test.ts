/** The platform at a glance: the same words from `./manage.sh health` and from `datalab monitoring run`. */
import { describe, expect, it } from 'vitest';
import type { MonitoringSummary } from '../../../src/contracts/monitoring.js';
import { pictureOf, renderPicture, servicesOf, type ServiceLine } from '../../../src/platform/picture.js';

const AT = '2026-11-29T10:00:00.000Z';
const NOW = Date.parse(AT) + 120_000;
const summary: MonitoringSummary = {
  cycle: { id: 'c', at: AT },
  probes: [
    { probe: 'kafka', up: true, ms: 40, detail: '1 broker', count: 30, reference: null },
    { probe: 'lake', up: false, ms: 0, detail: 'no lake', count: 0, reference: null },
  ],
  findings: [
    { fingerprint: 'store_down{service=store}', severity: 'critical', summary: 'it is away' },
    { fingerprint: 'run_partial{schedule=a}', severity: 'warning', summary: 'a part' },
  ],
  services: [
    { service: 'store', up: false, ms: null, detail: 'refused' },
    { service: 'shop', up: true, ms: 7, detail: 'status 200, version 3' },
  ],
  pools: [
    { pool: 'etl', pollers: 1, backlog: 2 },
    { pool: 'ml', pollers: 0, backlog: 0 },
  ],
  problems: ['record: no room'],
};
const plain = { colour: false };

describe('the picture', () => {
  it('shows services, probes, findings and problems of a cycle', () => {
    const picture = pictureOf(servicesOf(summary), summary, NOW);
    expect(picture.healthy).toBe(false);
    expect(renderPicture(picture, plain)).toBe(
      [
        'service         state  ms  detail',
        'Object store    down       refused',
        'shop            up     7   status 200, version 3',
        'Kafka           up     40  1 broker',
        'Workers of etl  up         1 worker, 2 tasks waiting',
        'Workers of ml   down       0 workers, 0 tasks waiting',
        '',
        'monitoring, measured 2 min ago (2026-11-29T10:00:00.000Z)',
        'probe  state  ms  figures  detail',
        'kafka  up     40  30       1 broker',
        'lake   down   0   0        no lake',
        '[critical] store_down{service=store}: it is away',
        '[warning] run_partial{schedule=a}: a part',
        'problem: record: no room',
      ].join('\n'),
    );
  });

  it('is the same below the services, whoever asked them', () => {
    const asked: ServiceLine = {
      ...{ service: 's3', title: 'S3 gateway', state: 'up', required: true, ms: 2, detail: 'lists' },
    };
    const below = (services: readonly ServiceLine[]): string =>
      renderPicture(pictureOf(services, summary, NOW), plain).split('\n\n')[1] ?? '';
    expect(below([asked])).toBe(below(servicesOf(summary)));
    expect(pictureOf([asked], summary, NOW).healthy).toBe(true);
  });

  it('is coloured by how bad it is', () => {
    const text = renderPicture(pictureOf(servicesOf(summary), summary, NOW), { colour: true });
    const colourOf = (part: string): string | undefined =>
      text
        .split('\n')
        .find((line) => line.includes(part))
        ?.match(/^\u001b\[(\d+)m/)?.[1];
    expect(['refused', 'no lake', '[critical]', '[warning]', 'version 3'].map(colourOf)).toEqual([
      ...['31', '31', '31', '33', undefined],
    ]);
    const well = { ...summary, findings: [], problems: [] };
    const green = renderPicture(pictureOf([], well, NOW), { colour: true });
    expect(green).toContain('\u001b[32mmonitoring found nothing wrong\u001b[0m');
  });

  it('says that monitoring is silent, has never measured, or cannot be asked', () => {
    const late = renderPicture(pictureOf([], summary, NOW + 3 * 3_600_000), plain);
    expect(late).toContain('problem: monitoring has not measured for 3 h');
    expect(renderPicture(pictureOf([], null, NOW), plain)).toContain('monitoring has not measured yet');
    const away = renderPicture(pictureOf([], null, NOW, 'Temporal is away'), plain);
    expect(away).toContain('problem: Temporal is away');
    expect(away).not.toContain('not measured yet');
  });

  it('can be made of what an earlier version of the program left', () => {
    const { services: _, pools: __, ...older } = summary;
    expect(servicesOf(older).map(({ service }) => service)).toEqual(['kafka']);
  });
});
