/** Alerts for the page: nobody there waits as long as a program would. */
import type { AlertOverview } from '../../contracts/alerts.js';
import * as alerts from '../../client/alerts.js';
import type { DashboardDeps } from './deps.js';

const WITHIN = { withinMs: 8000 };

export function alertsNow({ temporal }: DashboardDeps): Promise<AlertOverview | null> {
  return alerts.alertsNow(temporal, WITHIN);
}

export function tellManager<Answer>(
  { temporal }: DashboardDeps,
  update: string,
  args: [unknown, ...unknown[]],
): Promise<Answer> {
  return alerts.tellManager<Answer>(temporal, update, args, WITHIN);
}
