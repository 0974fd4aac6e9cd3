/** Models: where each stands, and the trainings that wait for a person. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { ModelsNow } from '../../../server/shapes/models';
import { get, post } from '../api';
import { commands } from '../commands';
import { useSection } from '../live';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';

export default function Models() {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const models = useQuery({
    queryKey: ['models'],
    queryFn: () => get<Measured<ModelsNow>>('/api/models'),
    refetchInterval: 10_000,
  });
  const now = models.data?.value;
  return (
    <>
      <div className="head">
        <h1>{t('nav.models')}</h1>
        <Twin command={commands.listModels()} />
      </div>
      <Problem error={models.error} />
      <Waiting />
      <Card title={t('nav.models')} of={models.data}>
        {now?.off && (
          <div className="pad small banner warn" role="status">
            {t('models.off')}: {now.off}
          </div>
        )}
        {now?.problems.map((problem) => (
          <Problem key={problem} error={new Error(problem)} />
        ))}
        {now?.models.length === 0 && <Empty>{t('models.none')}</Empty>}
        {now && now.models.length > 0 && (
          <div className="scroll" tabIndex={0}>
            <table>
              <thead>
                <tr>
                  <th>{t('models.name')}</th>
                  <th>{t('models.data')}</th>
                  <th>{t('models.metric')}</th>
                  <th className="n">{t('models.champion')}</th>
                  <th className="n">{t('models.candidate')}</th>
                  <th className="n">{t('models.versions')}</th>
                  <th>{t('models.newest')}</th>
                  <th />
                </tr>
              </thead>
              <tbody>
                {now.models.map((one) => (
                  <tr key={one.name}>
                    <td>
                      <Link href={`/models/${one.name}`}>{one.name}</Link>
                      <div className="small dim">{one.description}</div>
                    </td>
                    <td>{one.table ? <Link href={`/lake/${one.table}`}>{one.table}</Link> : '–'}</td>
                    <td>{one.metric ?? '–'}</td>
                    <td className="n">{one.champion ?? '–'}</td>
                    <td className="n">{one.candidate ?? '–'}</td>
                    <td className="n">{now.off ? '–' : one.versions}</td>
                    <td>
                      <Badge word={one.newest?.decision} /> <Time iso={one.newest?.at} />
                      <div className="small dim">{one.newest?.reasons}</div>
                    </td>
                    <td>
                      <Action
                        label={t('models.train')}
                        command={commands.train(one.name, false)}
                        run={() => post(`/api/models/${one.name}/train`, {})}
                        after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
                      />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Card>
    </>
  );
}

/** Trainings that passed the gate and wait for somebody to say yes. */
export function Waiting({ model }: { readonly model?: string }) {
  const { t } = useTranslation();
  const running = useSection('runs').value?.running ?? [];
  const waiting = running.filter(
    ({ flow, phase, dataset }) =>
      flow === 'mlopsTraining' && phase === 'approval' && (model === undefined || dataset === model),
  );
  if (waiting.length === 0) return null;
  return (
    <Card title={t('models.waits')}>
      <table>
        <tbody>
          {waiting.map((run) => {
            const path = `/api/trainings/${encodeURIComponent(run.workflowId)}/decide`;
            return (
              <tr key={run.runId}>
                <td>{run.dataset}</td>
                <td>
                  <Link href={runHref(run)} className="mono">
                    {run.workflowId}
                  </Link>
                </td>
                <td className="row">
                  <Action
                    label={t('models.approve')}
                    tone="primary"
                    command={commands.approve(run.workflowId, true, '')}
                    run={() => post(path, { approve: true })}
                  />
                  <Action
                    label={t('models.refuse')}
                    tone="danger"
                    command={commands.approve(run.workflowId, false, '')}
                    run={() => post(path, { approve: false })}
                  />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Card>
  );
}
