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
import { Badge, Card, Problem, Time, Twin } from './parts';
import { ResultTable } from './result-table';
import { runHref } from './run-table';

export function Schema({ info }: { readonly info: TableDetail }) {
  const { t } = useTranslation();
  return (
    <section className="card scroll" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>{t('lake.column')}</th>
            <th>{t('lake.type')}</th>
            <th>{t('lake.nullable')}</th>
            <th>{t('lake.comment')}</th>
          </tr>
        </thead>
        <tbody>
          {info.columns.map((column) => (
            <tr key={column.name}>
              <td className="mono">
                {column.name}
                {info.partitionColumns.includes(column.name) ? ' ◆' : ''}
              </td>
              <td className="mono">{column.type}</td>
              <td>{column.nullable ? '✓' : ''}</td>
              <td>{column.comment ?? ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
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
    <section className="card scroll" tabIndex={0}>
      <Problem error={history.error} />
      <table>
        <thead>
          <tr>
            <th className="n">{t('lake.version')}</th>
            <th>{t('common.when')}</th>
            <th>{t('lake.operation')}</th>
            <th>{t('common.detail')}</th>
            <th>{t('lake.byRun')}</th>
          </tr>
        </thead>
        <tbody>
          {history.data?.versions.map((one) => {
            const run = (one.note as { run?: { workflowId?: string; executionId?: string } } | null)?.run;
            return (
              <tr key={one.version}>
                <td className="n">
                  <button className="quiet" onClick={() => onPreview(one.version)}>
                    {num(one.version)}
                  </button>
                </td>
                <td className="nowrap">
                  <Time iso={one.at} />
                </td>
                <td>{one.operation}</td>
                <td className="small dim">
                  {Object.entries(one.metrics)
                    .map(([key, value]) => `${key} ${value}`)
                    .join(' · ')}
                </td>
                <td>
                  {run?.workflowId && run.executionId ? (
                    <Link
                      className="mono"
                      href={runHref({ workflowId: run.workflowId, runId: run.executionId })}
                    >
                      {run.workflowId}
                    </Link>
                  ) : (
                    '–'
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
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
            actions={<Badge word={side === 'lost' ? 'warn' : 'ok'} />}
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
