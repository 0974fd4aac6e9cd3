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
import { Table } from '../ui/table';

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
  const groups = useMemo(() => {
    const byName = new Map<string, CheckRow[]>();
    for (const check of checks) {
      const own = byName.get(check.check_name);
      if (own) own.push(check);
      else byName.set(check.check_name, [check]);
    }
    return byName;
  }, [checks]);
  const newest = [...groups.values()].flatMap(([first]) => (first ? [first] : []));
  return (
    <Card title={t('run.checks')}>
      {newest.length === 0 ? <Empty>{t('quality.noChecks')}</Empty> : <CheckTable checks={newest} />}
      {newest.length > 0 && (
        <details className="pad">
          <summary className="dim small">{t('quality.history')}</summary>
          {[...groups].map(([name, results]) => (
            <Trend key={name} name={name} results={results} />
          ))}
        </details>
      )}
    </Card>
  );
}

/** A check over its newest results: a square each, and what was measured against the threshold. */
function Trend({ name, results }: { readonly name: string; readonly results: readonly CheckRow[] }) {
  const oldestFirst = useMemo(() => [...results].reverse(), [results]);
  const points = useMemo(
    () =>
      oldestFirst.flatMap(({ measured, checked_at: at }) =>
        measured === null || at === undefined ? [] : [{ at: isoOf(at), value: measured }],
      ),
    [oldestFirst],
  );
  const threshold = results[0]?.threshold ?? null;
  return (
    <>
      <div className="row small">
        <span className="mono">{name}</span>
        <span className="slots push">
          {oldestFirst.map((one) => (
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
      {points.length > 1 && (
        <Line points={points} label={name} height={70} marks={threshold === null ? [] : [threshold]} />
      )}
    </>
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
        <Table
          rows={data.rows}
          keyOf={(_, index) => index}
          columns={(column) => [
            column(t('quality.rule'), ({ rule: refusedBy, layer }) => (
              <>
                {refusedBy}
                <div className="small dim">{layer}</div>
              </>
            )),
            column(t('quality.reason'), ({ reason }) => reason),
            column(
              t('quality.source'),
              ({ source, run }) => (
                <>
                  {source}
                  {run && <RunOf run={run} />}
                </>
              ),
              'cut',
              { title: ({ source }) => source },
            ),
            column(t('quality.line'), ({ line }) => line ?? '', 'n'),
            column(t('quality.raw'), ({ raw }) => raw, 'mono cut', { title: ({ raw }) => raw ?? '' }),
            column(t('common.when'), ({ refused_at }) => <Time iso={isoOf(refused_at)} />, 'nowrap'),
          ]}
        />
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
