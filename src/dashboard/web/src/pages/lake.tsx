/** The lake: its tables, one table from every side, and SQL. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { TableProfile } from '../../../../lake/preview';
import type { QueryResult } from '../../../../lake/query';
import type { TableDetail, TableVersion } from '../../../../lake/tables';
import type { VersionDiff } from '../../../../lake/diff';
import { get, queryOf } from '../api';
import { bytes, num } from '../format';
import { useSection } from '../live';
import { Badge, Card, Empty, Json, Problem, Tabs, Time, Twin, useFilter } from '../ui/parts';
import { ResultTable } from '../ui/result-table';
import { runHref } from '../ui/run-table';
import { Sql } from '../ui/sql-box';

export default function Lake({ table }: { readonly table: string | undefined }) {
  return table ? <OneTable name={table} /> : <Tables />;
}

function Tables() {
  const { t } = useTranslation();
  const measured = useSection('tables');
  const [filter, set] = useFilter();
  const search = filter.get('search') ?? '';
  const tables = (measured.value ?? []).filter(({ name }) => name.includes(search));
  return (
    <>
      <div className="head">
        <h1>{t('nav.lake')}</h1>
        <input
          type="search"
          aria-label={t('overview.tables')}
          placeholder={t('overview.tables')}
          value={search}
          onChange={({ target }) => set('search', target.value)}
        />
        <Twin command="datalab tables list" />
      </div>
      <Card title={t('overview.tables')} of={measured}>
        {measured.at && tables.length === 0 && <Empty>{t('lake.empty')}</Empty>}
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>{t('overview.tables')}</th>
                <th className="n">{t('lake.version')}</th>
                <th className="n">{t('common.rows')}</th>
                <th className="n">{t('common.size')}</th>
                <th className="n">{t('lake.files')}</th>
                <th className="n">{t('lake.average')}</th>
                <th>{t('lake.changed')}</th>
              </tr>
            </thead>
            <tbody>
              {tables.slice(0, 500).map((one) => (
                <tr key={one.name}>
                  <td>
                    <Link href={`/lake/${one.name}`}>{one.name}</Link>
                  </td>
                  <td className="n">{num(one.version)}</td>
                  <td className="n">{num(one.rows)}</td>
                  <td className="n">{bytes(one.bytes)}</td>
                  <td className="n">{num(one.files)}</td>
                  <td className="n">{one.files === 0 ? '–' : bytes(one.bytes / one.files)}</td>
                  <td className="nowrap">
                    <Time iso={one.changedAt} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Card>
      <Sql
        initial={
          tables[0]
            ? `SELECT * FROM ${(tables.find(({ name }) => name.startsWith('gold.')) ?? tables[0]).name} LIMIT 20`
            : ''
        }
      />
    </>
  );
}

function OneTable({ name }: { readonly name: string }) {
  const { t } = useTranslation();
  const [filter, set] = useFilter();
  const tab = filter.get('tab') ?? 'schema';
  const version = filter.get('version') ?? '';
  const detail = useQuery({
    queryKey: ['table', name],
    queryFn: () => get<TableDetail>(`/api/tables/${name}`),
    refetchInterval: 15_000,
  });
  const names = ['schema', 'history', 'preview', 'profile', 'diff', 'properties'].map(
    (one) => [one, t(`lake.${one}` as 'lake.schema')] as const,
  );
  if (detail.error && !detail.data) return <Problem error={detail.error} />;
  if (!detail.data) return <p className="dim">{t('common.loading')}</p>;
  const info = detail.data;
  return (
    <>
      <div className="head">
        <h1>
          <Link href="/lake">{t('nav.lake')}</Link> / {name}
        </h1>
        <Twin command={`datalab tables show ${name}`} />
      </div>
      <div className="tiles">
        {(
          [
            [t('common.rows'), num(info.rows)],
            [t('common.size'), bytes(info.bytes)],
            [t('lake.files'), num(info.files)],
            [t('lake.version'), num(info.version)],
          ] as const
        ).map(([label, value]) => (
          <div className="tile" key={label}>
            <span>{label}</span>
            <b>{value}</b>
          </div>
        ))}
      </div>
      <Tabs names={names} chosen={tab} onChoose={(chosen) => set('tab', chosen)} />
      {tab === 'schema' && <Schema info={info} />}
      {tab === 'history' && (
        <History
          name={name}
          onPreview={(at) => {
            set('version', String(at));
            set('tab', 'preview');
          }}
        />
      )}
      {tab === 'preview' && (
        <Preview name={name} version={version} newest={info.version} onVersion={(at) => set('version', at)} />
      )}
      {tab === 'profile' && <Profile name={name} />}
      {tab === 'diff' && <Diff name={name} newest={info.version} />}
      {tab === 'properties' && (
        <section className="card">
          <Json
            label={t('lake.properties')}
            value={{ uri: info.uri, id: info.id, protocol: info.protocol, properties: info.properties }}
          />
        </section>
      )}
    </>
  );
}

function Schema({ info }: { readonly info: TableDetail }) {
  const { t } = useTranslation();
  return (
    <section className="card scroll">
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

function History({
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
    <section className="card scroll">
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

function Preview({
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

function Profile({ name }: { readonly name: string }) {
  const { t } = useTranslation();
  const profile = useMutation({ mutationFn: () => get<TableProfile>(`/api/tables/${name}/profile`) });
  const { data } = profile;
  return (
    <Card
      title={t('lake.profile')}
      actions={
        <>
          <button onClick={() => profile.mutate()} disabled={profile.isPending}>
            {t('lake.measure')}
          </button>
          {data && (
            <span className="dim small">
              {name}@{data.version} · {num(data.rows)} {t('common.rows')}
              {data.complete ? '' : ` · ${t('lake.truncated')}`}
            </span>
          )}
        </>
      }
    >
      <Problem error={profile.error} />
      {data && (
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>{t('lake.column')}</th>
                <th>{t('lake.type')}</th>
                <th className="n">{t('lake.nulls')}</th>
                <th className="n">{t('lake.distinct')}</th>
                <th>{t('lake.min')}</th>
                <th>{t('lake.max')}</th>
              </tr>
            </thead>
            <tbody>
              {data.columns.map((column) => (
                <tr key={column.name}>
                  <td className="mono">{column.name}</td>
                  <td className="mono">{column.type}</td>
                  <td className="n">{num(column.nulls)}</td>
                  <td className="n">{num(column.distinct)}</td>
                  <td className="cut">{column.min ?? '–'}</td>
                  <td className="cut">{column.max ?? '–'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}

function Diff({ name, newest }: { readonly name: string; readonly newest: number }) {
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
        <Twin command={`datalab tables diff ${name} --from ${from} --to ${to}`} />
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
