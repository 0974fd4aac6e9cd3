/** Timestamps as text, to the microsecond. */

const PATTERN =
  /^(\d{4})-(\d{2})-(\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?\s*(Z|[+-]\d{2}(?::?\d{2})?(?::?\d{2})?)?$/;

/** Microseconds since the epoch; text without a zone is taken as UTC. Undefined for anything else (infinity, BC, …). */
export function parseMicros(text: string): bigint | undefined {
  const match = PATTERN.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match;
  const ms = Date.UTC(
    Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
  );
  if (Number.isNaN(ms) || Number(year) < 100) return undefined;
  const micros = BigInt(fraction.slice(0, 6).padEnd(6, '0'));
  return BigInt(ms) * 1000n + micros - BigInt(offsetSeconds(zone)) * 1_000_000n;
}

function offsetSeconds(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  const digits = zone.slice(1).replaceAll(':', '').padEnd(6, '0');
  const part = (index: number): number => Number(digits.slice(index, index + 2));
  return sign * (part(0) * 3600 + part(2) * 60 + part(4));
}

/** `2024-01-02T03:04:05.678901Z`, always six digits; undefined outside the years 0 to 9999. */
export function isoMicros(micros: bigint): string | undefined {
  const seconds = floorDiv(micros, 1_000_000n);
  const fraction = micros - seconds * 1_000_000n;
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return undefined;
  const text = date.toISOString();
  return text.length === 24 ? `${text.slice(0, 19)}.${String(fraction).padStart(6, '0')}Z` : undefined;
}

export function floorDiv(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
