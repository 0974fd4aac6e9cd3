/** What is open, in words: the worst first, who looks after it, what is silent, what does not go out. */
import { expect, it } from 'vitest';
import { alertsText } from '../../src/cli/commands/alerts.js';
import type { AlertOverview, Episode } from '../../src/contracts/alerts.js';

const NOW = Date.UTC(2026, 0, 2, 12);
const episode = (id: string, severity: Episode['severity'], rule: string, more: object = {}): Episode =>
  ({
    id,
    severity,
    rule,
    labels: { table: id },
    summary: `${rule} of ${id}`,
    openedAt: NOW - 600_000,
    ...more,
  }) as unknown as Episode;
const overview = (more: Partial<AlertOverview> = {}): AlertOverview => ({
  ...{
    open: [],
    pending: [],
    silences: [],
    failing: {},
    channels: {},
    recent: [],
    lastReportAt: NOW - 60_000,
  },
  ...more,
});

it('says that nothing is open, and whether monitoring reports at all', () => {
  expect(alertsText(overview(), NOW)).toBe(
    'no alert is open\nlast report 2026-01-02T11:59:00.000Z (60 s ago)',
  );
  expect(alertsText(overview({ lastReportAt: 0 }), NOW)).toContain('monitoring has not reported yet');
});

it('lists the worst first, with who looks after it, what is silent and what does not go out', () => {
  const silence = {
    id: 's7',
    by: 'ana',
    reason: 'moving',
    from: 0,
    until: NOW + 1,
    rule: 'table_*',
    labels: { table: 'a2' },
  };
  const text = alertsText(
    overview({
      open: [
        episode('a1', 'warning', 'table_log_long'),
        episode('a2', 'warning', 'table_log_long'),
        episode('a3', 'critical', 'store_down', { acknowledged: { by: 'ben', at: 0, note: 'on it' } }),
      ],
      pending: [episode('a4', 'warning', 'service_slow')],
      silences: [silence],
      failing: { mail: 'refused' },
      channels: { mail: { firstLagMs: null, laterLagMs: null, waiting: 3, waitingSince: 0 } },
    }),
    NOW,
  );
  expect(text.split('\n')).toEqual([
    'a3  [critical] store_down, since 2026-01-02T11:50:00.000Z (10 min ago), acknowledged by ben: on it',
    '    store_down of a3',
    'a1  [warning] table_log_long, since 2026-01-02T11:50:00.000Z (10 min ago)',
    '    table_log_long of a1',
    'a2  [warning] table_log_long, since 2026-01-02T11:50:00.000Z (10 min ago), silenced by s7',
    '    table_log_long of a2',
    '1 more finding not yet for long enough to be an alert',
    'alerts do not go out over mail (3 wait): refused',
    's7: table_* {"table":"a2"} is silent until 2026-01-02T12:00:00.001Z (ana: moving); datalab alerts unsilence s7 ends it',
    expect.stringContaining('last report'),
  ]);
});
