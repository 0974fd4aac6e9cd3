/** The dashboard's server: `composeDashboard` makes what it needs, `startDashboard` listens. */
export { composeDashboard, type DashboardDeps } from './deps.js';
export { makeAdminLink } from './first-admin.js';
export { startDashboard, type RunningDashboard } from './server.js';
export { Store } from './store.js';
