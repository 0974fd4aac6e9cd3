/** Quality: score over time, each check with its history, and the rows that were refused. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useLocation } from 'wouter';
import { get, post, queryOf } from '../api';
import { num, percent } from '../format';
import { useSection } from '../live';
import { CheckTable, type CheckRow } from '../ui/check-table';
import { Action, Card, Empty, Problem, Time, toneOf, Twin } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Line } from '../ui/spark';

export default function Quality({ dataset }: { readonly dataset: string | undefined }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const measured = useSection('datasets');
  const chosen = dataset ?? measured.value?.[0]?.dataset;
  const row = measured.value?.find((one) => one.dataset === chosen);
  const points = useMemo(() => (row?.scores ?? []).map(({ at, score }) => ({ at, value: score })), [row]);
  return (
    <>
      <div className="head">
        <h1>{t('nav.quality')}</h1>
        <select
          aria-label={t('common.dataset')}
          value={chosen ?? ''}
          onChange={({ target }) => go(`/quality/${target.value}`)}
        >
          {measured.value?.map((one) => (
            <option key={one.dataset}>{one.dataset}</option>
          ))}
        </select>
      </div>
      <Card title={t('quality.trend')} of={measured} actions={<b>{percent(row?.score)}</b>}>
        {points.length < 2 ? (
          <Empty>{t('quality.noChecks')}</Empty>
        ) : (
          <div className="pad">
            <Line points={points} label={t('overview.score')} max={1.005} />
          </div>
        )}
      </Card>
      {chosen && <Checks dataset={chosen} stamp={row?.lastRunId ?? ''} />}
      {chosen && <Quarantine dataset={chosen} stamp={row?.lastRunId ?? ''} />}
    </>
  );
}

function Checks({ dataset, stamp }: { readonly dataset: string; readonly stamp: string }) {
  const { t } = useTranslation();
  const answer = useQuery({
    queryKey: ['quality', dataset, stamp],
    queryFn: () => get<{ checks: CheckRow[] }>(`/api/quality/${dataset}`),
  });
  const groups = new Map<string, CheckRow[]>();
  for (const check of answer.data?.checks ?? [])
    groups.set(check.check_name, [...(groups.get(check.check_name) ?? []), check]);
  const newest = [...groups.values()].flatMap(([first]) => (first ? [first] : []));
  return (
    <Card title={t('run.checks')}>
      <Problem error={answer.error} />
      {answer.data && newest.length === 0 ? (
        <Empty>{t('quality.noChecks')}</Empty>
      ) : (
        <CheckTable checks={newest} />
      )}
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
            command={`datalab quarantine replay ${dataset}${rule ? ` --rule ${rule}` : ''}`}
            run={() => post(`/api/quarantine/${dataset}/replay`, rule ? { rule } : {})}
            after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
          />
          <Twin command={`datalab quarantine show ${dataset} --csv`} />
        </>
      }
    >
      <Problem error={page.error} />
      {data?.rows.length === 0 && <Empty>{t('quality.noQuarantine')}</Empty>}
      {data && data.rows.length > 0 && (
        <div className="scroll">
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

/** The engine's text of an instant. */
function isoOf(text: string): string {
  const iso = text.replace(' ', 'T').replace(/([+-]\d{2})$/, '$1:00');
  return /Z$|[+-]\d{2}:\d{2}$/.test(iso) ? iso : `${iso}Z`;
}
