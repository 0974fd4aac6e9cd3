/** Numbers and times for people. Times are UTC. */
import type { CheckResult, CheckUnit } from '../contracts/quality.js';

const LOCALE = 'en-US';
const whole = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 4 });
const short = new Intl.NumberFormat(LOCALE, { notation: 'compact', maximumSignificantDigits: 3 });
const share = new Intl.NumberFormat(LOCALE, { style: 'percent', maximumSignificantDigits: 3 });
const instants = new Intl.DateTimeFormat(LOCALE, {
  ...{ year: 'numeric', month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit' },
  ...{ hourCycle: 'h23', timeZone: 'UTC' },
});

export const count = (value: number): string => whole.format(value);
export const figure = (value: number): string => precise.format(value);
export const compact = (value: number): string => short.format(value);
export const percent = (ratio: number): string => share.format(ratio);
export const score = (value: number): string => value.toFixed(3);

/** `1 row`, `2 rows`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** `Mar 1, 2013, 06:00 UTC`; what is no instant comes back as it is. */
export function instant(iso: string): string {
  const ms = Date.parse(iso);
  return Number.isNaN(ms) ? iso : `${instants.format(ms)} UTC`;
}

/** `420 ms`, `3.42 s`, `12 min 5 s`. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes < 60
    ? `${minutes} min ${seconds % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `987 MB`, in powers of 1000. */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = value;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : Number(size.toPrecision(3))} ${units[unit]}`;
}

function inUnit(value: number, unit: CheckUnit): string {
  switch (unit) {
    case 'ratio':
      return percent(value);
    case 'days':
      return `${figure(value)} ${value === 1 ? 'day' : 'days'}`;
    case 'score':
      return score(value);
    case 'rows':
    case 'columns':
      return count(value);
  }
}

/** What a check measured, and what was wanted of it: `3.2 %` and `≤ 5 %`. */
export function checkFigures(check: CheckResult): { readonly measured: string; readonly wanted: string } {
  const { measured, threshold, unit, kind, outcome } = check;
  const isMinimum =
    kind === 'score' ||
    (kind === 'row_count' &&
      !(outcome === 'failed' && measured !== null && threshold !== null && measured > threshold));
  return {
    measured: measured === null ? '–' : inUnit(measured, unit),
    wanted: threshold === null ? '–' : `${isMinimum ? '≥' : '≤'} ${inUnit(threshold, unit)}`,
  };
}
