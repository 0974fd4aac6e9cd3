/** Values of options, checked when the command line is read. */
import { InvalidArgumentError } from 'commander';

export function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a number from 1 to 999999 is expected');
  return Number(text);
}

export function positiveOrZero(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('a whole number from 0 is expected');
  return Number(text);
}
