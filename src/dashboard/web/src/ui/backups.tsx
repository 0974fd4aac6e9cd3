/** Backups: what there is, the buttons that make, verify and try one, and what became of those. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { MaintenanceNow } from '../../../server/shapes/maintenance';
import { post } from '../api';
import { commands } from '../commands';
import { bytes, num } from '../format';
import { said } from '../said';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from './parts';
import { runHref } from './run-table';
import { Table } from './table';

type Of = Measured<MaintenanceNow> | undefined;
type Started = { workflowId: string; runId: string };

export function Backups({
  now,
  of,
  onRun,
}: {
  readonly now: MaintenanceNow | null | undefined;
  readonly of: Of;
  readonly onRun: (run: Started) => void;
}) {
  const { t } = useTranslation();
  const backup = now?.backup;
  const action = (task: 'create' | 'verify' | 'drill') => (
    <Action
      label={t(`maintenance.${task}`)}
      command={commands.backup(task)}
      {...(task === 'drill' && { confirm: t('maintenance.confirmDrill') })}
      run={() => post(`/api/backups/${task}`, {})}
      after={onRun}
    />
  );
  return (
    <Card
      title={t('maintenance.backups')}
      of={of}
      actions={
        backup?.uri ? (
          <>
            {action('create')}
            {action('verify')}
            {action('drill')}
          </>
        ) : (
          <Twin command={commands.listBackups()} />
        )
      }
    >
      {backup && !backup.uri && <Empty>{t('maintenance.notConfigured')}</Empty>}
      {backup?.problem && <Problem error={new Error(backup.problem)} />}
      {backup?.uri && !backup.problem && backup.backups.length === 0 && (
        <Empty>{t('maintenance.noBackups')}</Empty>
      )}
      {backup && backup.backups.length > 0 && (
        <Table
          rows={backup.backups}
          keyOf={({ id }) => id}
          columns={[
            { kind: 'nowrap', cell: ({ at }) => <Time iso={at} /> },
            { kind: 'mono cut', cell: ({ id }) => id, title: ({ id }) => id },
            { kind: 'n', cell: ({ tables }) => t('amount.tables', { count: tables }) },
            { kind: 'n', cell: ({ files }) => num(files) },
            { kind: 'n', cell: ({ bytes: size }) => bytes(size) },
          ]}
        />
      )}
      {backup?.uri && (
        <div className="pad small dim">
          {t('maintenance.place')} <code>{backup.uri}</code>
        </div>
      )}
    </Card>
  );
}

export function BackupRuns({
  now,
  of,
}: {
  readonly now: MaintenanceNow | null | undefined;
  readonly of: Of;
}) {
  const { t } = useTranslation();
  const backup = now?.backup;
  return (
    <Card title={t('maintenance.backupRuns')} of={of}>
      {backup?.runs.length === 0 && <Empty>{t('common.nothing')}</Empty>}
      {backup && backup.runs.length > 0 && (
        <Table
          rows={backup.runs}
          keyOf={({ runId }) => runId}
          columns={[
            {
              kind: 'nowrap',
              cell: (run) => (
                <Link href={runHref(run)}>
                  <Time iso={run.startedAt} />
                </Link>
              ),
            },
            {
              cell: ({ task, dryRun }) => (
                <>
                  {said(task)} {dryRun && <span className="badge">{t('maintenance.dryRun')}</span>}
                </>
              ),
            },
            { cell: ({ status }) => <Badge word={status} /> },
            { kind: 'n', cell: ({ bytes: size }) => bytes(size) },
            { kind: 'small text', cell: ({ problems }) => problems.join('; ') },
          ]}
        />
      )}
    </Card>
  );
}
