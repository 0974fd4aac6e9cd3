/** Numbers, sizes and times by the language that is chosen. */
import i18n from './i18n';

const lang = (): string => i18n.language;

export const num = (value: number | null | undefined, digits = 0): string =>
  value === null || value === undefined
    ? '–'
    : new Intl.NumberFormat(lang(), { maximumFractionDigits: digits }).format(value);

export const compact = (value: number | null | undefined): string =>
  value === null || value === undefined
    ? '–'
    : new Intl.NumberFormat(lang(), { notation: 'compact', maximumFractionDigits: 1 }).format(value);

export const percent = (share: number | null | undefined): string =>
  share === null || share === undefined
    ? '–'
    : new Intl.NumberFormat(lang(), { style: 'percent', maximumFractionDigits: 1 }).format(share);

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const step = Math.min(UNITS.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3));
  return `${num(value / 1000 ** step, step === 0 ? 0 : 1)} ${UNITS[step]}`;
}

export function seconds(value: number): string {
  if (value < 1) return `${num(value * 1000)} ms`;
  if (value < 60) return `${num(value, 1)} s`;
  if (value < 3600) return `${num(Math.floor(value / 60))} min ${num(Math.round(value % 60))} s`;
  return `${num(Math.floor(value / 3600))} h ${num(Math.floor((value % 3600) / 60))} min`;
}

export const dateTime = (iso: string): string =>
  new Intl.DateTimeFormat(lang(), { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(iso));

/** The time of day to the millisecond. */
export const clock = (iso: string): string =>
  new Intl.DateTimeFormat(lang(), {
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    ...{ fractionalSecondDigits: 3, hour12: false },
  }).format(new Date(iso));

/** `3 min ago`, `in 2 h`. */
export function relative(iso: string, nowMs: number): string {
  const secondsAway = (Date.parse(iso) - nowMs) / 1000;
  const format = new Intl.RelativeTimeFormat(lang(), { numeric: 'auto', style: 'short' });
  const size = Math.abs(secondsAway);
  if (size < 60) return format.format(Math.round(secondsAway), 'second');
  if (size < 3600) return format.format(Math.round(secondsAway / 60), 'minute');
  if (size < 86_400) return format.format(Math.round(secondsAway / 3600), 'hour');
  return format.format(Math.round(secondsAway / 86_400), 'day');
}
