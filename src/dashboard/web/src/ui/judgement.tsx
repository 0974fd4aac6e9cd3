/** How one version of a model was judged: gate, rivals, features, errors, and a prediction by it. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { ModelReportView } from '../../../server/shapes/models';
import { get, queryOf } from '../api';
import { commands } from '../commands';
import { num, percent } from '../format';
import { said } from '../said';
import { Bars, Histogram } from './bars';
import { Badge, Card, Problem, Twin } from './parts';
import { Predict } from './predict';
import { Table } from './table';

export function Judgement({
  model,
  version,
  isLoss,
  keys,
}: {
  readonly model: string;
  readonly version: string;
  readonly isLoss: boolean;
  /** Columns of a key, where the model server answers with this version. */
  readonly keys: readonly string[];
}) {
  const { t } = useTranslation();
  const report = useQuery({
    queryKey: ['model-report', model, version],
    queryFn: () => get<ModelReportView>(`/api/models/${model}/versions/${version}`),
    staleTime: 60_000,
  });
  if (report.error) return <Problem error={report.error} />;
  if (!report.data) return <p className="dim">{t('common.loading')}</p>;
  const view = report.data;
  return (
    <>
      <div className="head">
        <h2>{t('models.ofVersion', { version })}</h2>
        <Twin command={commands.compareModels(model, version, 'champion')} />
        {view.page && (
          <a href={`/api/reports${queryOf({ key: view.page })}`} target="_blank" rel="noreferrer">
            {t('models.report')} ↗
          </a>
        )}
        <span className="dim small">
          {t('models.holdoutRows', {
            train: num(view.rows.train),
            holdout: num(view.rows.holdout),
            from: view.rows.from.slice(0, 10),
            to: view.rows.to.slice(0, 10),
          })}
        </span>
      </div>
      <div className="grid">
        <Gate view={view} />
        <Rivals view={view} isLoss={isLoss} />
      </div>
      <div className="grid">
        <Card title={t('models.importance')}>
          <div className="pad">
            <p className="small dim">{t('models.importanceHint')}</p>
            <Bars
              bars={view.importance.slice(0, 15).map(({ feature, loss }) => ({
                ...{ name: feature, value: Math.max(0, loss), text: num(loss, 4) },
              }))}
            />
          </div>
        </Card>
        <Errors view={view} />
      </div>
      <div className="grid">
        <Card title={`${t('models.byPeriod')} (${view.metric})`}>
          <div className="pad">
            <Bars bars={barsOf(view.byPeriod, view.metric)} />
          </div>
        </Card>
        <Card title={`${t('models.byKey')} (${view.metric})`}>
          <div className="pad">
            <Bars bars={barsOf(view.byKey.slice(0, 20), view.metric)} />
          </div>
        </Card>
      </div>
      <div className="grid">
        <Card title={t('models.drift')}>
          <div className="pad">
            <Bars
              bars={view.drift.slice(0, 12).map(({ feature, psi }) => ({
                ...{ name: feature, value: psi, text: num(psi, 3) },
                tone: psi > 0.25 ? 'bad' : psi > 0.1 ? 'warn' : undefined,
              }))}
            />
          </div>
        </Card>
        <Predict model={model} version={version} example={view.example} keys={keys} />
      </div>
    </>
  );
}

const barsOf = (judged: ModelReportView['byKey'], metric: string) =>
  judged.map(({ name, metrics }) => ({
    ...{ name, value: metrics[metric] ?? 0, text: num(metrics[metric], 4) },
  }));

function Gate({ view: { gate } }: { readonly view: ModelReportView }) {
  const { t } = useTranslation();
  return (
    <Card title={t('models.gate')} actions={<Badge word={gate.passed ? 'passed' : 'refused'} />}>
      <Table
        rows={gate.rules}
        keyOf={({ rule }) => rule}
        columns={[
          { cell: ({ passed }) => <Badge word={passed ? 'passed' : 'refused'} /> },
          {
            cell: ({ rule, detail }) => (
              <>
                {said(rule)}
                <div className="small dim">{said(detail)}</div>
              </>
            ),
          },
        ]}
      />
    </Card>
  );
}

function Rivals({ view, isLoss }: { readonly view: ModelReportView; readonly isLoss: boolean }) {
  const { t } = useTranslation();
  const { metric, winner, interval } = view;
  const all = [
    ...view.candidates.map(({ name, holdout, validation }) => ({
      ...{ name, said: name === winner ? t('models.winner') : '', value: holdout[metric] },
      walk: validation[metric],
    })),
    ...(view.champion
      ? [
          {
            ...{ name: `${t('models.champion')} (${view.champion.version})`, said: '', walk: undefined },
            value: view.champion.metrics[metric],
          },
        ]
      : []),
    ...view.baselines.map(({ name, metrics }) => ({
      ...{ name, said: t('models.baseline'), value: metrics[metric], walk: undefined },
    })),
  ].sort((a, b) => ((a.value ?? 0) - (b.value ?? 0)) * (isLoss ? 1 : -1));
  return (
    <Card title={t('models.rivals')}>
      <Table
        rows={all}
        keyOf={({ name }) => name}
        columns={(column) => [
          column(t('models.name'), ({ name, said }) => (
            <>
              {name} {said && <span className="small dim">{said}</span>}
            </>
          )),
          column(
            `${t('models.holdout')} ${metric}`,
            ({ name, value }) => (
              <>
                {num(value, 4)}
                {name === winner && interval && (
                  <div className="small dim">
                    {t('models.interval')} {num(interval.low, 4)} – {num(interval.high, 4)}
                  </div>
                )}
              </>
            ),
            'n',
          ),
          column(t('models.validation'), ({ walk }) => num(walk, 4), 'n'),
        ]}
      />
    </Card>
  );
}

/** How many rows of each class (down) were said to be which (across). */
function Classes({ names, confusion }: NonNullable<ModelReportView['classes']>) {
  const { t } = useTranslation();
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={t('models.confusion')}>
      <table className="confusion">
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th className="n" key={name}>
                {t('models.predictedClass', { name })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {names.map((name, was) => (
            <tr key={name}>
              <th>{t('models.wasClass', { name })}</th>
              {names.map((other, said) => {
                const rows = confusion[was]?.[said] ?? 0;
                return (
                  <td className={`n ${was === said ? 'good' : rows > 0 ? 'wrong' : ''}`} key={other}>
                    {num(rows)}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How often what was said came true, by the probability with which it was said. */
function Calibration({ view }: { readonly view: ModelReportView }) {
  const { t } = useTranslation();
  return (
    <div className="pad">
      <p className="small dim">{t('models.calibration')}</p>
      <Bars
        bars={view.calibration.map(({ predicted, observed, rows }) => ({
          name: `${t('models.predicted')} ${percent(predicted)}`,
          value: observed,
          text: `${t('models.observed')} ${percent(observed)} (${num(rows)})`,
        }))}
      />
    </div>
  );
}

/** Residuals of a regression; confusion and calibration of classes, or of a yes or no. */
function Errors({ view }: { readonly view: ModelReportView }) {
  const { t } = useTranslation();
  const { classes, confusion, residuals } = view;
  if (confusion)
    return (
      <Card title={t('models.confusion')}>
        <table className="confusion">
          <thead>
            <tr>
              <td />
              <th className="n">
                {t('models.predictedYes')} (≥ {num(confusion.threshold, 6)})
              </th>
              <th className="n">{t('models.predictedNo')}</th>
            </tr>
          </thead>
          <tbody>
            <tr>
              <th>{t('models.wasYes')}</th>
              <td className="n good">{num(confusion.tp)}</td>
              <td className="n wrong">{num(confusion.fn)}</td>
            </tr>
            <tr>
              <th>{t('models.wasNo')}</th>
              <td className="n wrong">{num(confusion.fp)}</td>
              <td className="n good">{num(confusion.tn)}</td>
            </tr>
          </tbody>
        </table>
        <Calibration view={view} />
      </Card>
    );
  if (classes)
    return (
      <Card title={t('models.confusion')}>
        <Classes {...classes} />
        <Calibration view={view} />
      </Card>
    );
  return (
    <Card title={t('models.residuals')}>
      {view.residualsProblem && <Problem error={new Error(view.residualsProblem)} />}
      {residuals && (
        <div className="pad form">
          <Histogram
            label={`${t('models.residuals')}: ${t('models.mean')} ${num(residuals.mean, 4)}, ${t('models.deviation')} ${num(residuals.deviation, 4)}`}
            bars={residuals.bins.map(({ from, to, rows }) => ({
              ...{ rows, said: `${num(from, 3)} – ${num(to, 3)}: ${num(rows)}` },
            }))}
          />
          <div className="row small dim">
            <span>{num(residuals.bins[0]?.from, 2)}</span>
            <span className="push">
              {t('models.mean')} {num(residuals.mean, 4)} · {t('models.deviation')}{' '}
              {num(residuals.deviation, 4)} · {t('amount.rows', { count: residuals.rows })}
            </span>
            <span className="push">{num(residuals.bins.at(-1)?.to, 2)}</span>
          </div>
          <p className="small dim">{t('models.byPrediction')}</p>
          <Bars
            bars={residuals.byPrediction.map(({ predicted, mean, deviation }) => ({
              name: `${t('models.predicted')} ${num(predicted, 3)}`,
              value: mean,
              text: `${num(mean, 3)} ± ${num(deviation, 3)}`,
              tone: mean < 0 ? 'warn' : undefined,
            }))}
          />
        </div>
      )}
    </Card>
  );
}
