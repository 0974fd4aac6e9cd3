/** Runs as pages: a report document (plain data, `contracts/report.ts`) → one self-contained HTML file. */
export { chartData, ROWS_MAX, type ChartRow } from './chart-data.js';
export { checkFigures } from './format.js';
export { renderReport } from './page.js';
export { renderModelReport, type ModelReport } from './model-page.js';
export { renderMaintenance } from './maintenance.js';
