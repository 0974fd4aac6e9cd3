/**
 * Locations that a run's logical time fills in: `s3://in/{date}/*.csv` is another place every day, so a run for a day reads
 * that day's files and a backfill of a day finds them again. Times are in UTC.
 */

const NAMES = ['date', 'year', 'month', 'day', 'hour'] as const;
type Name = (typeof NAMES)[number];

/** `{date}`, or with a shift `{date-1d}`, `{hour-1h}`: the same a day or an hour before. */
const PLACE = new RegExp(`\\{(${NAMES.join('|')})(?:-(\\d{1,4})([dh]))?\\}`, 'g');
/** What looks like a place and is none: braces of a glob have a comma or dots between them. */
const STRANGE = /\{[A-Za-z][A-Za-z0-9_+-]*\}/;
const UNIT_MS = { d: 24 * 3_600_000, h: 3_600_000 } as const;

export const PLACES_TEXT = `${NAMES.map((name) => `{${name}}`).join(', ')}, also shifted back as in {date-1d} or {hour-1h}`;

export function hasPlaces(location: string): boolean {
  return location.search(PLACE) >= 0;
}

/** The first thing in braces that no logical time can fill in, or undefined. */
export function strangePlace(location: string): string | undefined {
  return STRANGE.exec(location.replace(PLACE, ''))?.[0];
}

/** The location for a logical time (an ISO instant). Without places it is the location itself. */
export function locationAt(location: string, logicalTime: string): string {
  const atMs = Date.parse(logicalTime);
  return location.replace(PLACE, (_, name: Name, shift?: string, unit?: keyof typeof UNIT_MS) => {
    const ms = shift === undefined || unit === undefined ? atMs : atMs - Number(shift) * UNIT_MS[unit];
    return textOf(name, new Date(ms).toISOString());
  });
}

/** A glob over the places of every logical time. */
export function locationAtAnyTime(location: string): string {
  return location.replace(PLACE, (_, name: Name) => GLOBS[name]);
}

const GLOBS: Readonly<Record<Name, string>> = {
  date: '????-??-??',
  year: '????',
  month: '??',
  day: '??',
  hour: '??',
};

function textOf(name: Name, iso: string): string {
  switch (name) {
    case 'date':
      return iso.slice(0, 10);
    case 'year':
      return iso.slice(0, 4);
    case 'month':
      return iso.slice(5, 7);
    case 'day':
      return iso.slice(8, 10);
    case 'hour':
      return iso.slice(11, 13);
  }
}
