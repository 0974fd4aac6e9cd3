/** Runs as rows. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { RunRow } from '../../../server/runs';
import { seconds } from '../format';
import { useNow } from '../live';
import { Badge, Time } from './parts';

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
    <div className="scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t('common.state')}</th>
            <th>{t('nav.runs')}</th>
            <th>{t('common.flow')}</th>
            <th>{t('common.dataset')}</th>
            <th>{t('common.started')}</th>
            <th className="n">{t('common.duration')}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((run) => (
            <tr key={run.runId}>
              <td>
                <Badge word={run.status === 'completed' ? (run.outcome ?? run.status) : run.status} />
                {run.status === 'running' && run.phase && <span className="small dim"> {run.phase}</span>}
              </td>
              <td>
                <Link href={runHref(run)} className="mono">
                  {run.workflowId}
                </Link>
              </td>
              <td>{run.flow}</td>
              <td>{run.dataset ?? '–'}</td>
              <td className="nowrap">
                <Time iso={run.startedAt} />
              </td>
              <td className="n">
                {seconds(
                  ((run.finishedAt ? Date.parse(run.finishedAt) : now) - Date.parse(run.startedAt)) / 1000,
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
