/** One table from its sides: schema, history, rows of any version, differences. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { VersionDiff } from '../../../../lake/diff';
import type { QueryResult } from '../../../../lake/query';
import type { TableDetail, TableVersion } from '../../../../lake/tables';
import { get, queryOf } from '../api';
import { commands } from '../commands';
import { num } from '../format';
import { Card, Problem, Time, Twin } from './parts';
import { ResultTable } from './result-table';
import { runHref } from './run-table';
import { Table } from './table';

export function Schema({ info }: { readonly info: TableDetail }) {
  const { t } = useTranslation();
  return (
    <section className="card">
      <Table
        rows={info.columns}
        keyOf={({ name }) => name}
        columns={(column) => [
          column(
            t('lake.column'),
            ({ name }) => `${name}${info.partitionColumns.includes(name) ? ' ◆' : ''}`,
            'mono',
          ),
          column(t('lake.type'), ({ type }) => type, 'mono'),
          column(t('lake.nullable'), ({ nullable }) => (nullable ? '✓' : '')),
          column(t('lake.comment'), ({ comment }) => comment ?? ''),
        ]}
      />
    </section>
  );
}

export function History({
  name,
  onPreview,
}: {
  readonly name: string;
  readonly onPreview: (version: number) => void;
}) {
  const { t } = useTranslation();
  const history = useQuery({
    queryKey: ['history', name],
    queryFn: () => get<{ versions: TableVersion[] }>(`/api/tables/${name}/history`),
  });
  return (
    <section className="card">
      <Problem error={history.error} />
      <Table
        rows={history.data?.versions}
        keyOf={({ version }) => version}
        columns={(column) => [
          column(
            t('lake.version'),
            ({ version }) => (
              <button className="quiet" onClick={() => onPreview(version)}>
                {num(version)}
              </button>
            ),
            'n',
          ),
          column(t('common.when'), ({ at }) => <Time iso={at} />, 'nowrap'),
          column(t('lake.operation'), ({ operation }) => operation),
          column(
            t('common.detail'),
            ({ metrics }) =>
              Object.entries(metrics)
                .map(([key, value]) => `${key} ${value}`)
                .join(' · '),
            'small dim',
          ),
          column(t('lake.byRun'), ({ note }) => {
            const run = (note as { run?: { workflowId?: string; executionId?: string } } | null)?.run;
            return run?.workflowId && run.executionId ? (
              <Link className="mono" href={runHref({ workflowId: run.workflowId, runId: run.executionId })}>
                {run.workflowId}
              </Link>
            ) : (
              '–'
            );
          }),
        ]}
      />
    </section>
  );
}

export function Preview({
  name,
  version,
  newest,
  onVersion,
}: {
  readonly name: string;
  readonly version: string;
  readonly newest: number;
  readonly onVersion: (version: string) => void;
}) {
  const { t } = useTranslation();
  const path = `/api/tables/${name}/rows${queryOf({ version, limit: 100 })}`;
  const rows = useQuery({
    queryKey: [path, newest],
    queryFn: ({ signal }) => get<QueryResult>(path, signal),
  });
  return (
    <Card
      title={t('lake.preview')}
      actions={
        <label className="inline small">
          {t('lake.version')}{' '}
          <input
            type="number"
            min={0}
            max={newest}
            value={version}
            placeholder={String(newest)}
            onChange={({ target }) => onVersion(target.value)}
          />
        </label>
      }
    >
      <Problem error={rows.error} />
      {rows.data && <ResultTable result={rows.data} />}
    </Card>
  );
}

export function Diff({ name, newest }: { readonly name: string; readonly newest: number }) {
  const { t } = useTranslation();
  const [from, setFrom] = useState(Math.max(0, newest - 1));
  const [to, setTo] = useState(newest);
  const diff = useMutation({
    mutationFn: () => get<VersionDiff>(`/api/tables/${name}/diff${queryOf({ from, to })}`),
  });
  return (
    <>
      <div className="row">
        <VersionInput label={t('lake.from')} newest={newest} value={from} onChange={setFrom} />
        <VersionInput label={t('lake.to')} newest={newest} value={to} onChange={setTo} />
        <button className="primary" disabled={diff.isPending} onClick={() => diff.mutate()}>
          {t('lake.compare')}
        </button>
        <Twin command={commands.diff(name, from, to)} />
      </div>
      <Problem error={diff.error} />
      {diff.data &&
        (['lost', 'gained'] as const).map((side) => (
          <Card
            key={side}
            title={t(`lake.${side}`, { count: diff.data[side].total })}
            actions={
              side === 'lost' ? <span className="badge warn">−</span> : <span className="badge ok">+</span>
            }
          >
            <ResultTable result={diff.data[side].sample} />
          </Card>
        ))}
    </>
  );
}

function VersionInput({
  label,
  newest,
  value,
  onChange,
}: {
  readonly label: string;
  readonly newest: number;
  readonly value: number;
  readonly onChange: (version: number) => void;
}) {
  return (
    <label className="inline">
      {label}{' '}
      <input
        type="number"
        min={0}
        max={newest}
        value={value}
        onChange={({ target }) => onChange(Number(target.value))}
      />
    </label>
  );
}
