/** The lake: its tables by page, one table from every side, and SQL. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { TableDetail, TableInfo } from '../../../../lake/tables';
import type { Measured } from '../../../server/measured';
import { get, queryOf } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { bytes, num } from '../format';
import { useSection } from '../live';
import { Layers } from '../ui/layers';
import { Pager } from '../ui/pager';
import { Age, ageOf, Card, Empty, Json, Problem, Time, Twin } from '../ui/parts';
import { Sql } from '../ui/sql-box';
import { StartFlow } from '../ui/start-flow';
import { Files } from '../ui/table-files';
import { Diff, History, Preview, Schema } from '../ui/table-panes';
import { Profile } from '../ui/table-profile';
import { Table } from '../ui/table';
import { Tabs } from '../ui/tabs';

export default function Lake({ table }: { readonly table: string | undefined }) {
  return table ? <OneTable name={table} /> : <Tables />;
}

const LAYERS = ['bronze', 'silver', 'gold', 'quarantine', 'meta'];
const PAGE = 50;
/** What the server may sort by, how it is called, the class of its cells, and how it is shown. */
const COLUMNS = [
  ['name', 'overview.tables', undefined, ({ name }) => <Link href={`/lake/${name}`}>{name}</Link>],
  ['version', 'lake.version', 'n', ({ version }) => num(version)],
  ['rows', 'common.rows', 'n', ({ rows }) => num(rows)],
  ['bytes', 'common.size', 'n', (one) => bytes(one.bytes)],
  ['files', 'lake.files', 'n', ({ files }) => num(files)],
  ['average', 'lake.average', 'n', (one) => (one.files === 0 ? '–' : bytes(one.bytes / one.files))],
  ['changedAt', 'lake.changed', 'nowrap', ({ changedAt }) => <Time iso={changedAt} />],
] as const satisfies ReadonlyArray<
  readonly [string, string, string | undefined, (table: TableInfo) => ReactNode]
>;

type Page = Measured<{ readonly total: number; readonly rows: readonly TableInfo[] }>;

function Tables() {
  const { t } = useTranslation();
  const [filter, set] = useFilter();
  const value = (name: string): string => filter.get(name) ?? '';
  const sort = value('sort') || 'name';
  const order = value('order') || 'asc';
  const offset = Number(value('offset') || 0);
  const path = `/api/tables${queryOf({ search: value('search'), layer: value('layer'), sort, order, offset, limit: PAGE })}`;
  const page = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<Page>(path, signal),
    placeholderData: keepPreviousData,
  });
  const lake = useSection('lake').value;
  const { refetch } = page;
  useEffect(() => void refetch(), [lake?.changedAt, lake?.total, refetch]);
  const tables = page.data?.value?.rows ?? [];
  const first = tables.find(({ name }) => name.startsWith('gold.')) ?? tables[0];
  return (
    <>
      <div className="head">
        <h1>{t('nav.lake')}</h1>
        <input
          type="search"
          aria-label={t('overview.tables')}
          placeholder={t('overview.tables')}
          value={value('search')}
          onChange={({ target }) => set({ search: target.value }, { isTyped: true })}
        />
        <select
          aria-label={t('overview.layers')}
          value={value('layer')}
          onChange={({ target }) => set({ layer: target.value })}
        >
          <option value="">
            {t('overview.layers')}: {t('common.all')}
          </option>
          {LAYERS.map((layer) => (
            <option key={layer}>{layer}</option>
          ))}
        </select>
        <Twin command={commands.listTables()} />
      </div>
      <Problem error={page.error} />
      <Layers />
      <Card
        title={`${t('overview.tables')} (${num(page.data?.value?.total)})`}
        of={page.data}
        staleMs={300_000}
      >
        {page.data?.value?.total === 0 && <Empty>{t('lake.empty')}</Empty>}
        <Table
          rows={tables}
          keyOf={({ name }) => name}
          columns={(column) =>
            COLUMNS.map(([name, label, kind, cell]) =>
              column(
                <button
                  type="button"
                  className="sort"
                  onClick={() =>
                    set({ sort: name, order: sort === name && order === 'asc' ? 'desc' : 'asc' })
                  }
                >
                  {t(label)}
                  {sort === name ? (order === 'asc' ? ' ↑' : ' ↓') : ''}
                </button>,
                cell,
                kind,
                { sorted: sort !== name ? undefined : order === 'asc' ? 'ascending' : 'descending' },
              ),
            )
          }
        />
        <Pager
          total={page.data?.value?.total ?? 0}
          offset={offset}
          limit={PAGE}
          onOffset={(next) => set({ offset: next === 0 ? '' : String(next) })}
        />
      </Card>
      <Sql initial={first ? `SELECT * FROM ${first.name} LIMIT 20` : ''} />
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
  const names = ['schema', 'history', 'preview', 'profile', 'files', 'diff', 'properties'].map(
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
        <Twin command={commands.showTable(name)} />
        <Age of={ageOf(detail)} />
        <span className="row">
          <StartFlow flow="tableMaintenance" input={{ table: name }} label={t('starting.maintain')} />
        </span>
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
      <Tabs names={names} chosen={tab} onChoose={(chosen) => set({ tab: chosen })}>
        {tab === 'schema' && <Schema info={info} />}
        {tab === 'history' && (
          <History
            name={name}
            onPreview={(at) => {
              set({ version: String(at), tab: 'preview' });
            }}
          />
        )}
        {tab === 'preview' && (
          <Preview
            name={name}
            version={version}
            newest={info.version}
            onVersion={(at) => set({ version: at }, { isTyped: true })}
          />
        )}
        {tab === 'profile' && <Profile name={name} />}
        {tab === 'files' && (
          <Files name={name} version={info.version} partitioned={info.partitionColumns.length > 0} />
        )}
        {tab === 'diff' && <Diff name={name} newest={info.version} />}
        {tab === 'properties' && (
          <section className="card">
            <Json
              label={t('lake.properties')}
              value={{ uri: info.uri, id: info.id, protocol: info.protocol, properties: info.properties }}
            />
          </section>
        )}
      </Tabs>
    </>
  );
}
