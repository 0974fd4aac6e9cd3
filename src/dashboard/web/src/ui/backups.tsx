/** Backups: what there is, the buttons that make, verify and try one, and what became of those. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { MaintenanceNow } from '../../../server/shapes/maintenance';
import { post } from '../api';
import { commands } from '../commands';
import { bytes, num } from '../format';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from './parts';
import { runHref } from './run-table';

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
        <div className="scroll" tabIndex={0}>
          <table>
            <tbody>
              {backup.backups.map((one) => (
                <tr key={one.id}>
                  <td className="nowrap">
                    <Time iso={one.at} />
                  </td>
                  <td className="mono cut" title={one.id}>
                    {one.id}
                  </td>
                  <td className="n">
                    {num(one.tables)} {t('overview.tables')}
                  </td>
                  <td className="n">{num(one.files)}</td>
                  <td className="n">{bytes(one.bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
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
        <div className="scroll" tabIndex={0}>
          <table>
            <tbody>
              {backup.runs.map((one) => (
                <tr key={one.runId}>
                  <td className="nowrap">
                    <Link href={runHref(one)}>
                      <Time iso={one.startedAt} />
                    </Link>
                  </td>
                  <td>{one.task}</td>
                  <td>
                    <Badge word={one.status} />
                  </td>
                  <td className="n">{bytes(one.bytes)}</td>
                  <td className="small text">{one.problems.join('; ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
