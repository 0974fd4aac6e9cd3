/**
 * A service of your own that has DataLab load a dataset and acts on how it went.
 *
 *   node main.js <dataset>      TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say where Temporal is
 *
 * It prints the ledger of the run. Exit codes: 0 the run completed, 1 it did not, 2 wrong usage.
 */
import { DatalabClient, type EtlSummary, type Ledger, type RunProgress } from 'datalab/client';

const [dataset] = process.argv.slice(2);
if (dataset === undefined) {
  process.stderr.write('usage: node main.js <dataset>\n');
  process.exit(2);
}

const datalab = await DatalabClient.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '127.0.0.1:7233',
  namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default',
});
try {
  // With a workflow id of your own, a second start while the first still runs is refused instead of made a second run.
  const run = await datalab.startEtl({ dataset }, { workflowId: `example-${dataset}` });
  process.stderr.write(`started ${run.workflowId}\n`);
  const result = await run.watch(tell);
  switch (result.status) {
    case 'completed':
      process.stdout.write(`${describe(result.summary)}\n`);
      break;
    case 'failed':
      // The code is stable (docs/reference/errors.md); the message is for people.
      process.stderr.write(`${result.code}: ${result.message}\n`);
      process.exitCode = 1;
      break;
    case 'cancelled':
      process.stderr.write('cancelled; what was published stays\n');
      process.exitCode = 1;
      break;
  }
} finally {
  await datalab.close();
}

/** Called at every change, at most ten times a second. */
function tell({ summary, activities }: RunProgress): void {
  const working = activities.map(({ activity }) => activity).join(', ');
  process.stderr.write(`${summary.phase}${working ? `: ${working}` : ''}\n`);
}

function describe({ outcome, sources, bronze, silver, score, tables }: EtlSummary): string {
  const line = (layer: string, { read, accepted, duplicate, quarantined }: Ledger): string =>
    `${layer}: ${read} read = ${accepted} accepted + ${duplicate} duplicate + ${quarantined} quarantined`;
  const changed = tables.filter((table) => table.changed).map(({ table, version }) => `${table}@${version}`);
  return [
    `${dataset}: ${outcome}, ${sources.ingested} of ${sources.listed} sources were new`,
    line('bronze', bronze),
    line('silver', silver),
    `quality: ${score === null ? 'nothing new to judge' : score.toFixed(3)}`,
    `published: ${changed.join(', ') || 'nothing'}`,
  ].join('\n');
}
