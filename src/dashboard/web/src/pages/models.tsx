/** Models: where each stands, and the trainings that wait for a person. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { ModelsNow } from '../../../server/shapes/models';
import { get, post } from '../api';
import { commands } from '../commands';
import { useSection } from '../live';
import { said } from '../said';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Table } from '../ui/table';

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
          <Table
            rows={now.models}
            keyOf={({ name }) => name}
            columns={(column) => [
              column(t('models.name'), ({ name, description }) => (
                <>
                  <Link href={`/models/${name}`}>{name}</Link>
                  <div className="small dim">{description}</div>
                </>
              )),
              column(t('models.data'), ({ table }) =>
                table ? <Link href={`/lake/${table}`}>{table}</Link> : '–',
              ),
              column(t('models.metric'), ({ metric }) => metric ?? '–'),
              column(t('models.champion'), ({ champion }) => champion ?? '–', 'n'),
              column(t('models.candidate'), ({ candidate }) => candidate ?? '–', 'n'),
              column(t('models.versions'), ({ versions }) => (now.off ? '–' : versions), 'n'),
              column(t('models.newest'), ({ newest }) => (
                <>
                  <Badge word={newest?.decision} /> <Time iso={newest?.at} />
                  <div className="small dim">{said(newest?.reasons)}</div>
                </>
              )),
              {
                cell: ({ name }) => (
                  <Action
                    label={t('models.train')}
                    command={commands.train(name, false)}
                    run={() => post(`/api/models/${name}/train`, {})}
                    after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
                  />
                ),
              },
            ]}
          />
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
      <Table
        rows={waiting}
        keyOf={({ runId }) => runId}
        columns={[
          { cell: ({ dataset }) => dataset },
          {
            cell: (run) => (
              <Link href={runHref(run)} className="mono">
                {run.workflowId}
              </Link>
            ),
          },
          {
            kind: 'row',
            cell: ({ workflowId }) => {
              const path = `/api/trainings/${encodeURIComponent(workflowId)}/decide`;
              return (
                <>
                  <Action
                    label={t('models.approve')}
                    tone="primary"
                    command={commands.approve(workflowId, true, '')}
                    run={() => post(path, { approve: true })}
                  />
                  <Action
                    label={t('models.refuse')}
                    tone="danger"
                    command={commands.approve(workflowId, false, '')}
                    run={() => post(path, { approve: false })}
                  />
                </>
              );
            },
          },
        ]}
      />
    </Card>
  );
}
