/** The dashboard's server: `composeDashboard` makes what it needs, `startDashboard` listens. */
export { composeDashboard, type DashboardDeps } from './deps.js';
export { makeAdminLink } from './first-admin.js';
export { parseRule, publishedRules, RuleBook, sampleOf, tryRule, type SampleRow } from './rules.js';
export { startDashboard, type RunningDashboard } from './server.js';
export { fingerprint, hashPassword, newSecret } from './secrets.js';
export { ROLES, Store, type Role } from './store.js';
