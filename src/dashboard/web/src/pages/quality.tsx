/** Quality: score over time, each check with its history, and the rows that were refused. */
import { useQuery } from '@tanstack/react-query';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { get, post, queryOf } from '../api';
import { commands } from '../commands';
import { useDatasetNames } from '../datasets';
import { num, percent } from '../format';
import { useSection } from '../live';
import { CheckTable, type CheckRow } from '../ui/check-table';
import { Action, Card, Empty, Problem, Time, toneOf, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Line } from '../ui/spark';

export default function QualityPage({ dataset }: { readonly dataset: string | undefined }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const measured = useSection('datasets');
  const names = useDatasetNames();
  const chosen = dataset ?? measured.value?.rows[0]?.dataset ?? names[0];
  const answer = useQuery({
    queryKey: ['quality', chosen],
    enabled: chosen !== undefined,
    queryFn: () => get<Quality>(`/api/quality/${chosen}`),
  });
  const { data, refetch } = answer;
  const row = data?.dataset;
  const stamp = measured.value?.rows.find((one) => one.dataset === chosen)?.lastRunId ?? '';
  useEffect(() => void (chosen && refetch()), [stamp, chosen, refetch]);
  const points = useMemo(() => (data?.scores ?? []).map(({ at, score }) => ({ at, value: score })), [data]);
  return (
    <>
      <div className="head">
        <h1>{t('nav.quality')}</h1>
        <select
          aria-label={t('common.dataset')}
          value={chosen ?? ''}
          onChange={({ target }) => go(`/quality/${target.value}`)}
        >
          {[...new Set([...names, ...(chosen ? [chosen] : [])])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
      <Card title={t('quality.trend')} of={measured} actions={<b>{percent(row?.score)}</b>}>
        {points.length < 2 ? (
          points.length === 0 && <Empty>{t('quality.noChecks')}</Empty>
        ) : (
          <div className="pad">
            <Line points={points} label={t('overview.score')} max={1.005} />
          </div>
        )}
      </Card>
      <Problem error={answer.error} />
      {data && <Checks checks={data.checks} />}
      {chosen && <Quarantine dataset={chosen} stamp={row?.lastRunId ?? ''} />}
    </>
  );
}

interface Quality {
  readonly dataset: { readonly score: number | null; readonly lastRunId: string | null } | null;
  readonly scores: ReadonlyArray<{ readonly at: string; readonly score: number }>;
  readonly checks: readonly CheckRow[];
}

function Checks({ checks }: { readonly checks: readonly CheckRow[] }) {
  const { t } = useTranslation();
  const groups = new Map<string, CheckRow[]>();
  for (const check of checks) groups.set(check.check_name, [...(groups.get(check.check_name) ?? []), check]);
  const newest = [...groups.values()].flatMap(([first]) => (first ? [first] : []));
  return (
    <Card title={t('run.checks')}>
      {newest.length === 0 ? <Empty>{t('quality.noChecks')}</Empty> : <CheckTable checks={newest} />}
      {newest.length > 0 && (
        <details className="pad">
          <summary className="dim small">{t('quality.history')}</summary>
          {[...groups].map(([name, results]) => (
            <div className="row small" key={name}>
              <span className="mono">{name}</span>
              <span className="slots push">
                {[...results].reverse().map((one) => (
                  <span
                    key={one.run_id}
                    className={`slot ${one.outcome === 'failed' ? toneOf(one.severity) || 'bad' : toneOf(one.outcome) || 'idle'}`}
                    role="img"
                    aria-label={`${one.checked_at}: ${one.outcome}`}
                    title={`${one.checked_at}: ${one.outcome} ${one.measured ?? ''}`}
                  />
                ))}
              </span>
            </div>
          ))}
        </details>
      )}
    </Card>
  );
}

interface Refused {
  readonly layer: string;
  readonly rule: string;
  readonly reason: string;
  readonly source: string;
  readonly line: number | null;
  readonly raw: string | null;
  readonly refused_at: string;
  readonly run: string | null;
}
interface RefusedPage {
  readonly groups: ReadonlyArray<{
    readonly layer: string;
    readonly rule: string;
    readonly n: number;
    readonly reason: string;
  }>;
  readonly rows: readonly Refused[];
  readonly more: boolean;
}

function Quarantine({ dataset, stamp }: { readonly dataset: string; readonly stamp: string }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [rule, setRule] = useState('');
  const [offset, setOffset] = useState(0);
  const path = `/api/quarantine/${dataset}${queryOf({ rule, offset, limit: 50 })}`;
  const page = useQuery({ queryKey: [path, stamp], queryFn: ({ signal }) => get<RefusedPage>(path, signal) });
  const { data } = page;
  const select = (next: string): void => {
    setRule(next);
    setOffset(0);
  };
  return (
    <Card
      title={t('quality.quarantine')}
      actions={
        <>
          <select aria-label={t('quality.rule')} value={rule} onChange={({ target }) => select(target.value)}>
            <option value="">
              {t('quality.rule')}: {t('common.all')}
            </option>
            {data?.groups.map((one) => (
              <option key={`${one.layer}${one.rule}`} value={one.rule}>
                {one.rule} ({num(one.n)})
              </option>
            ))}
          </select>
          <Action
            label={t('quality.replay')}
            confirm={t('quality.confirmReplay')}
            command={commands.replay(dataset, rule)}
            run={() => post(`/api/quarantine/${dataset}/replay`, rule ? { rule } : {})}
            after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
          />
          <a href={`/api/quarantine/${dataset}/export${queryOf({ rule })}`} download>
            ↓ CSV
          </a>
          <Twin command={commands.showQuarantine(dataset, rule)} />
        </>
      }
    >
      <Problem error={page.error} />
      {data?.rows.length === 0 && <Empty>{t('quality.noQuarantine')}</Empty>}
      {data && data.rows.length > 0 && (
        <div className="scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>{t('quality.rule')}</th>
                <th>{t('quality.reason')}</th>
                <th>{t('quality.source')}</th>
                <th className="n">{t('quality.line')}</th>
                <th>{t('quality.raw')}</th>
                <th>{t('common.when')}</th>
              </tr>
            </thead>
            <tbody>
              {data.rows.map((row, index) => (
                <tr key={index}>
                  <td>
                    {row.rule}
                    <div className="small dim">{row.layer}</div>
                  </td>
                  <td>{row.reason}</td>
                  <td className="cut" title={row.source}>
                    {row.source}
                    {row.run && <RunOf run={row.run} />}
                  </td>
                  <td className="n">{row.line ?? ''}</td>
                  <td className="mono cut" title={row.raw ?? ''}>
                    {row.raw}
                  </td>
                  <td className="nowrap">
                    <Time iso={isoOf(row.refused_at)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="pad row">
        {offset > 0 && <button onClick={() => setOffset(0)}>{t('common.first')}</button>}
        {data?.more && <button onClick={() => setOffset(offset + 50)}>{t('common.more')}</button>}
        <Link href={`/lake/quarantine.${dataset}`} className="small">
          quarantine.{dataset}
        </Link>
      </div>
    </Card>
  );
}

/** By which run it was refused. */
const RunOf = ({ run }: { readonly run: string }) => (
  <div className="small dim mono" title={run}>
    {run.slice(0, 8)}
  </div>
);

/** The engine's text of an instant. */
function isoOf(text: string): string {
  const iso = text.replace(' ', 'T').replace(/([+-]\d{2})$/, '$1:00');
  return /Z$|[+-]\d{2}:\d{2}$/.test(iso) ? iso : `${iso}Z`;
}
