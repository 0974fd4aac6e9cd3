/** How far a run of maintenance is, or what it came to. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { LakeMaintenanceSummary } from '../../../../contracts/lake-maintenance';
import { bytes } from '../format';
import { Badge, Card, Problem } from './parts';
import { Table } from './table';

export function isMaintenance(summary: unknown): summary is LakeMaintenanceSummary {
  return typeof summary === 'object' && summary !== null && 'worked' in summary && 'rowsExpired' in summary;
}

export function MaintenanceSummary({ summary }: { readonly summary: LakeMaintenanceSummary }) {
  const { t } = useTranslation();
  const { run, phase, tables, healthy, needy, unreadable, outcomes, left } = summary;
  const done = Object.values(outcomes).reduce((sum, count) => sum + count, 0);
  return (
    <Card
      title={t('nav.maintenance')}
      actions={
        <>
          {run.dryRun && <span className="badge">{t('maintenance.dryRun')}</span>}
          <span className="dim small">{phase}</span>
          {needy > 0 && <progress value={done} max={needy} aria-label={phase} />}
          {summary.report && (
            <Link
              className="push"
              href={`/maintenance?report=${summary.report.replace(/^.*\//, '').replace(/\.json$/, '')}`}
            >
              {t('maintenance.openReport')}
            </Link>
          )}
        </>
      }
    >
      <div className="pad row small">
        <span>{t('amount.tables', { count: tables })}</span>
        <span>{t('amount.healthy', { count: healthy })}</span>
        {unreadable > 0 && <span className="badge bad">{t('amount.unreadable', { count: unreadable })}</span>}
        {left > 0 && <span>{t('amount.left', { count: left })}</span>}
        {!run.dryRun && (
          <span>
            {t('maintenance.freed')}: {bytes(Math.max(0, summary.bytesFreed))},{' '}
            {t('amount.expired', { count: summary.rowsExpired })}
          </span>
        )}
      </div>
      {summary.problems.map((problem) => (
        <Problem key={problem} error={new Error(problem)} />
      ))}
      {summary.worked.length > 0 && (
        <Table
          rows={summary.worked}
          keyOf={({ table }) => table}
          columns={[
            { cell: ({ table }) => <Link href={`/lake/${table}`}>{table}</Link> },
            { cell: ({ outcome }) => <Badge word={outcome} /> },
            { cell: ({ detail }) => detail },
          ]}
        />
      )}
    </Card>
  );
}
