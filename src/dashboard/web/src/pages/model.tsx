/** One model: its versions and figures, how one of them was judged, and a prediction. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import type { Measured } from '../../../server/measured';
import type { ModelDetail, ModelVersion } from '../../../server/shapes/models';
import { get, post } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { num } from '../format';
import { said } from '../said';
import { Judgement } from '../ui/judgement';
import { Action, ageOf, Badge, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Line } from '../ui/spark';
import { Waiting } from './models';
import { Table } from '../ui/table';

type Started = { workflowId: string; runId: string };

export default function Model({ model }: { readonly model: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [filter, set] = useFilter();
  const detail = useQuery({
    queryKey: ['model', model],
    queryFn: () => get<ModelDetail>(`/api/models/${model}`),
    refetchInterval: 15_000,
  });
  const toRun = (run: Started): void => go(runHref(run));
  const { data } = detail;
  const champion = data?.versions.find(({ aliases }) => aliases.includes('champion'))?.version;
  const chosen = filter.get('version') ?? champion ?? data?.versions[0]?.version;
  return (
    <>
      <div className="head">
        <h1>
          <Link href="/models">{t('nav.models')}</Link> / {model}
        </h1>
        <Twin command={commands.showModel(model)} />
        <span className="push row">
          <Action
            label={t('models.train')}
            tone="primary"
            command={commands.train(model, false)}
            run={() => post(`/api/models/${model}/train`, {})}
            after={toRun}
          />
          <Action
            label={t('models.trainForce')}
            confirm={t('models.confirmForce')}
            command={commands.train(model, true)}
            run={() => post(`/api/models/${model}/train`, { force: true })}
            after={toRun}
          />
          <Action
            label={t('models.rollback')}
            tone="danger"
            confirm={t('models.confirmRollback')}
            command={commands.rollback(model)}
            run={() => post(`/api/models/${model}/rollback`, {})}
            after={toRun}
          />
        </span>
      </div>
      <Problem error={detail.error} />
      {data && <Facts detail={data} />}
      {data?.live && <Live live={data.live} />}
      <Waiting model={model} />
      {data && <Over detail={data} />}
      {data?.versions.length === 0 && (
        <section className="card">
          <Empty>{t('models.noVersions')}</Empty>
        </section>
      )}
      {data && data.versions.length > 0 && (
        <Versions
          of={ageOf(detail)}
          detail={data}
          champion={champion ?? null}
          chosen={chosen}
          onChoose={(version) => set({ version })}
          onRun={toRun}
        />
      )}
      {chosen && (
        <Judgement
          key={chosen}
          model={model}
          version={chosen}
          isLoss={data?.isLoss ?? true}
          keys={data?.served?.version === chosen ? data.served.keys : []}
        />
      )}
    </>
  );
}

function Facts({ detail }: { readonly detail: ModelDetail }) {
  const { t } = useTranslation();
  return (
    <div className="small dim">
      {detail.description && <p>{detail.description}</p>}
      <div className="row">
        {detail.table && <Link href={`/lake/${detail.table}`}>{detail.table}</Link>}
        {detail.target && (
          <span>
            {t('models.target')} <code>{detail.target}</code>,{' '}
            {t('models.horizon', { count: detail.horizon ?? 0 })}
          </span>
        )}
        {detail.deploys !== null && <span>{t(detail.deploys ? 'models.deploys' : 'models.keeps')}</span>}
        {detail.needsApproval && <span>{t('models.approval')}</span>}
        {detail.served?.version ? (
          <span className="badge ok" title={detail.served.parity ?? ''}>
            {t('models.serves', { version: detail.served.version })}
          </span>
        ) : (
          <span className="badge">{detail.served?.problem ?? t('models.servesNone')}</span>
        )}
        <a href={detail.experimentUrl} target="_blank" rel="noreferrer">
          {t('models.mlflow')} ↗
        </a>
      </div>
    </div>
  );
}

/** The champion's predictions against what happened. */
function Live({ live }: { readonly live: NonNullable<ModelDetail['live']> }) {
  const { t } = useTranslation();
  const tiles = [
    [`${live.metric}, ${t('models.live')}`, num(live.live, 4)],
    [`${live.metric}, ${t('models.holdout')}`, num(live.holdout, 4)],
    [t('models.judged'), num(live.judged)],
    [t('models.asked'), num(live.predictions)],
    [t('models.driftLive'), num(live.drift, 3)],
  ] as const;
  return (
    <Card
      title={t('models.inUse', { version: live.version })}
      actions={
        <span className="age push">
          {t('common.measured')} <Time iso={live.at} />
        </span>
      }
    >
      <div className="pad tiles">
        {tiles.map(([label, value]) => (
          <div className="tile" key={label}>
            <span className="small">{label}</span>
            <b>{value}</b>
          </div>
        ))}
      </div>
      {live.problem && <p className="pad small dim">{live.problem}</p>}
    </Card>
  );
}

function Over({ detail }: { readonly detail: ModelDetail }) {
  const { t } = useTranslation();
  const metric = detail.metric ?? Object.keys(detail.versions[0]?.metrics ?? {})[0] ?? '';
  const points = useMemo(
    () =>
      [...detail.versions].reverse().flatMap(({ at, metrics }) => {
        const value = metrics[metric];
        return at !== null && value !== undefined ? [{ at, value }] : [];
      }),
    [detail, metric],
  );
  if (points.length < 2) return null;
  return (
    <Card title={`${metric}: ${t('models.overVersions')}`}>
      <div className="pad">
        <Line points={points} label={metric} height={130} />
      </div>
    </Card>
  );
}

function Versions({
  of,
  detail,
  champion,
  chosen,
  onChoose,
  onRun,
}: {
  readonly of: Measured<unknown>;
  readonly detail: ModelDetail;
  readonly champion: string | null;
  readonly chosen: string | undefined;
  readonly onChoose: (version: string) => void;
  readonly onRun: (run: Started) => void;
}) {
  const { t } = useTranslation();
  const metrics = Object.keys(detail.versions[0]?.metrics ?? {}).sort(
    (a, b) => Number(b === detail.metric) - Number(a === detail.metric) || a.localeCompare(b),
  );
  return (
    <Card title={`${t('models.versions')} (${num(detail.total)})`} of={of}>
      <Table
        rows={detail.versions}
        keyOf={({ version }) => version}
        isCurrent={({ version }) => version === chosen}
        columns={(column) => [
          column(
            t('lake.version'),
            ({ version }) => (
              <button className="quiet" onClick={() => onChoose(version)}>
                {version}
              </button>
            ),
            'n',
          ),
          column(t('models.decision'), (one) => <Decision version={one} />),
          column(t('models.made'), ({ at }) => <Time iso={at} />, 'nowrap'),
          column(t('models.data'), ({ goldTable, goldVersion }) => `${goldTable} v${goldVersion}`, 'small'),
          ...metrics.slice(0, 4).map((name) => column(name, (one) => num(one.metrics[name], 4), 'n')),
          column(t('models.run'), (one) => <Origin version={one} />, 'small links'),
          {
            cell: ({ version }) =>
              version !== champion && (
                <Action
                  label={t('models.promote')}
                  confirm={t('models.confirmPromote', { version })}
                  command={commands.promote(detail.name, version)}
                  run={() => post(`/api/models/${detail.name}/promote`, { version, expect: champion })}
                  after={onRun}
                />
              ),
          },
        ]}
      />
    </Card>
  );
}

/** The run that made it, here and in MLflow. */
function Origin({ version: { workflowId, runId, mlflowUrl } }: { readonly version: ModelVersion }) {
  const { t } = useTranslation();
  return (
    <>
      {workflowId && runId && <Link href={runHref({ workflowId, runId })}>{t('models.run')}</Link>}{' '}
      {mlflowUrl && (
        <a href={mlflowUrl} target="_blank" rel="noreferrer">
          MLflow ↗
        </a>
      )}
    </>
  );
}

function Decision({ version: { aliases, decision, reasons } }: { readonly version: ModelVersion }) {
  const { t } = useTranslation();
  return (
    <>
      <span className="row">
        {aliases.map((alias) => (
          <span key={alias} className={`badge ${alias === 'champion' ? 'ok' : ''}`}>
            {t(`models.${alias}` as 'models.champion', { defaultValue: alias })}
          </span>
        ))}
        <Badge word={decision} />
      </span>
      {reasons.map((reason) => (
        <div key={reason} className="small dim">
          {said(reason)}
        </div>
      ))}
    </>
  );
}
