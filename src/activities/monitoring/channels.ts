/** How alerts go out: what the alert manager says of its channels, as figures. */
import type { AlertOverview } from '../../contracts/alerts.js';
import type { Measurement } from '../../contracts/monitoring.js';

/**
 * Of each channel: how long messages took since the last report, those that it took at once apart from those that it had
 * refused before, and what it has not taken yet. None where the manager does not run or does not answer.
 */
export function measureChannels(overview: AlertOverview | null, nowMs: number): Measurement[] {
  return Object.entries(overview?.channels ?? {}).flatMap(([channel, state]): Measurement[] => {
    const lag = (attempt: 'first' | 'later', ms: number | null): Measurement[] =>
      ms === null
        ? []
        : [{ metric: 'channel.delivery_lag_seconds', labels: { channel, attempt }, value: ms / 1000 }];
    const { firstLagMs, laterLagMs, waiting, waitingSince } = state;
    return [
      ...lag('first', firstLagMs),
      ...lag('later', laterLagMs),
      { metric: 'channel.waiting_messages', labels: { channel }, value: waiting },
      {
        ...{ metric: 'channel.waiting_seconds', labels: { channel } },
        value: waitingSince === null ? 0 : Math.max(0, (nowMs - waitingSince) / 1000),
      },
    ];
  });
}
