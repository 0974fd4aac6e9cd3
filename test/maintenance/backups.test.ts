/** Which backups stay. */
import { expect, it } from 'vitest';
import { backupsToKeep } from '../../src/maintenance/index.js';

const DAY_MS = 86_400_000;
const NOW = Date.parse('2026-11-24T03:00:00Z');
/** One backup a day, by its age. */
const daily = (days: number) =>
  Array.from({ length: days }, (_, age) => ({
    id: String(age),
    at: new Date(NOW - age * DAY_MS).toISOString(),
  }));
const kept = (days: number, retention = 180) =>
  [...backupsToKeep(daily(days), NOW, retention)].map(Number).sort((a, b) => a - b);

it('keeps all of a month, one of each week up to the retention, then one of each month of a year', () => {
  const ages = kept(800);
  expect(ages.filter((age) => age <= 30)).toHaveLength(31);
  const weekly = ages.filter((age) => age > 30 && age <= 180);
  expect(weekly.length).toBeGreaterThanOrEqual(21);
  expect(weekly.length).toBeLessThanOrEqual(28);
  const monthly = ages.filter((age) => age > 180);
  expect(monthly.length).toBeGreaterThanOrEqual(5);
  expect(monthly.length).toBeLessThanOrEqual(8);
  expect(Math.max(...ages)).toBeLessThanOrEqual(365);
});

it('never lets the newest go, however old', () => {
  expect([...backupsToKeep([{ id: 'last', at: '2020-01-01T00:00:00Z' }], NOW, 180)]).toEqual(['last']);
  expect(backupsToKeep([], NOW, 180).size).toBe(0);
});
