/** The reader's days, and the runs that count among those of a day. */

/** Monitoring runs every five minutes: a list of the others leaves it out. */
export const DATA_FLOWS = '-platformMonitoring';
/** Statuses of runs that did not come to their end. */
export const UNWELL = 'failed,timed_out,terminated';

/** `2026-01-31`, in the reader's zone. */
export const dayOf = (time: Date): string =>
  [time.getFullYear(), time.getMonth() + 1, time.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-');
