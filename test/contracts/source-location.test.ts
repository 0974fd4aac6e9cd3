/** Locations that a logical time fills in. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  hasPlaces,
  locationAt,
  locationAtAnyTime,
  strangePlace,
} from '../../src/contracts/source-location.js';
import { globPattern } from '../../src/connectors/sources/glob.js';
import { seedOf } from '../support/seed.js';

it.each([
  ['s3://in/{date}/*.csv', '2013-03-01T06:00:00.000Z', 's3://in/2013-03-01/*.csv'],
  ['in/{year}/{month}/{day}/{hour}.csv', '2013-03-01T06:00:00Z', 'in/2013/03/01/06.csv'],
  ['in/{date-1d}.csv', '2013-03-01T06:00:00Z', 'in/2013-02-28.csv'],
  ['in/{date-1h}T{hour-1h}.csv', '2013-03-01T00:30:00Z', 'in/2013-02-28T23.csv'],
  ['in/{date}.csv', '2013-03-01T22:00:00-03:00', 'in/2013-03-02.csv'],
  ['in/{a,b}/*.csv', '2013-03-01T06:00:00Z', 'in/{a,b}/*.csv'],
])('%s at %s is %s', (location, time, filled) => {
  expect(locationAt(location, time)).toBe(filled);
  expect(hasPlaces(location)).toBe(location !== filled);
});

it.each(['{dates}', '{date-1}', '{minute}', '{DATE}', '{date+1d}'])('refuses %s', (place) => {
  expect(strangePlace(`in/${place}/*.csv`)).toBe(place);
});

it.each(['{a,b}', '{1..3}', '*', '{date}', '{hour-2h}'])('has nothing against %s', (place) => {
  expect(strangePlace(`in/${place}/*.csv`)).toBeUndefined();
});

it('is found at any time by one glob', () => {
  const place = fc.constantFrom('{date}', '{year}', '{month}', '{day}', '{hour}', '{date-3d}', 'x');
  fc.assert(
    fc.property(
      fc.array(place, { minLength: 1 }),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date(4e12) }),
      (parts, at) => {
        const location = `in/${parts.join('/')}.csv`;
        expect(globPattern(locationAtAnyTime(location)).test(locationAt(location, at.toISOString()))).toBe(
          true,
        );
      },
    ),
    { seed: seedOf(2026) },
  );
});
