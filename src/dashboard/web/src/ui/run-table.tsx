/** Runs as rows. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { RunRow } from '../../../server/runs';
import { seconds } from '../format';
import { useNow } from '../live';
import { Badge, Time } from './parts';
import { Table } from './table';

export const runHref = ({
  workflowId,
  runId,
}: {
  readonly workflowId: string;
  readonly runId: string;
}): string => `/runs/${encodeURIComponent(workflowId)}/${runId}`;

export function RunTable({ rows }: { readonly rows: readonly RunRow[] }) {
  const { t } = useTranslation();
  const now = useNow();
  return (
    <Table
      rows={rows}
      keyOf={({ runId }) => runId}
      columns={(column) => [
        column(t('common.state'), (run) => (
          <>
            <Badge word={run.status === 'completed' ? (run.outcome ?? run.status) : run.status} />
            {run.status === 'running' && run.phase && <span className="small dim"> {run.phase}</span>}
          </>
        )),
        column(t('nav.runs'), (run) => (
          <Link href={runHref(run)} className="mono">
            {run.workflowId}
          </Link>
        )),
        column(t('common.flow'), ({ flow }) => flow),
        column(t('common.dataset'), ({ dataset }) => dataset ?? '–'),
        column(t('common.started'), ({ startedAt }) => <Time iso={startedAt} />, 'nowrap'),
        column(
          t('common.duration'),
          ({ startedAt, finishedAt }) =>
            seconds(((finishedAt ? Date.parse(finishedAt) : now) - Date.parse(startedAt)) / 1000),
          'n',
        ),
      ]}
    />
  );
}
