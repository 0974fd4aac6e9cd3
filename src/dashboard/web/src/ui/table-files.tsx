/** The data files of a table: how their sizes are spread, one by one, and by partition. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { TableFiles, TablePartitions } from '../../../server/shapes/lake';
import { get, queryOf } from '../api';
import { commands } from '../commands';
import { bytes, num, percent } from '../format';
import { Bars } from './bars';
import { Pager } from './pager';
import { Card, Problem, Time, Twin } from './parts';
import { Table } from './table';

const PAGE = 25;
const ORDERS = ['smallest', 'largest', 'newest'] as const;

export function Files({
  name,
  version,
  partitioned,
}: {
  readonly name: string;
  readonly version: number;
  readonly partitioned: boolean;
}) {
  const { t } = useTranslation();
  const [order, setOrder] = useState<(typeof ORDERS)[number]>('smallest');
  const [offset, setOffset] = useState(0);
  const path = `/api/tables/${name}/files${queryOf({ order, offset, limit: PAGE })}`;
  const files = useQuery({
    queryKey: [path, version],
    queryFn: ({ signal }) => get<TableFiles>(path, signal),
    placeholderData: keepPreviousData,
  });
  const { data } = files;
  return (
    <>
      <div className="grid">
        <Card
          title={t('lake.sizes')}
          actions={
            data && (
              <>
                <span className="dim small">
                  {t('lake.small', {
                    share: percent(data.total === 0 ? 0 : data.small.files / data.total),
                    mb: num(data.small.belowMb),
                  })}
                </span>
                <Twin command={commands.optimize(name)} />
              </>
            )
          }
        >
          <Problem error={files.error} />
          <div className="pad">
            <Bars
              bars={(data?.sizes ?? []).map(({ upTo, files: count, bytes: size }, index, all) => ({
                name: upTo === null ? `≥ ${bytes(all[index - 1]?.upTo ?? 0)}` : `< ${bytes(upTo)}`,
                value: count,
                text: `${num(count)} · ${bytes(size)}`,
                tone: upTo !== null && upTo <= (data?.small.belowMb ?? 0) * 1_000_000 ? 'warn' : undefined,
              }))}
            />
          </div>
        </Card>
        {partitioned && <Partitions name={name} version={version} />}
      </div>
      <Card
        title={`${t('lake.files')} (${num(data?.total)})`}
        actions={
          <select
            aria-label={t('lake.order')}
            value={order}
            onChange={({ target }) => {
              setOrder(target.value as (typeof ORDERS)[number]);
              setOffset(0);
            }}
          >
            {ORDERS.map((one) => (
              <option key={one} value={one}>
                {t(`lake.${one}`)}
              </option>
            ))}
          </select>
        }
      >
        <Table
          rows={data?.rows}
          keyOf={({ path: file }) => file}
          columns={(column) => [
            column(t('lake.path'), ({ path: file }) => file, 'mono cut', { title: ({ path: file }) => file }),
            column(t('common.size'), ({ bytes: size }) => bytes(size), 'n'),
            column(t('common.rows'), ({ rows }) => num(rows), 'n'),
            column(t('lake.deleted'), ({ deletedRows }) => (deletedRows === 0 ? '' : num(deletedRows)), 'n'),
            column(t('lake.changed'), ({ modifiedAt }) => <Time iso={modifiedAt} />, 'nowrap'),
          ]}
        />
        <Pager total={data?.total ?? 0} offset={offset} limit={PAGE} onOffset={setOffset} />
      </Card>
    </>
  );
}

function Partitions({ name, version }: { readonly name: string; readonly version: number }) {
  const { t } = useTranslation();
  const [offset, setOffset] = useState(0);
  const path = `/api/tables/${name}/partitions${queryOf({ offset, limit: PAGE })}`;
  const partitions = useQuery({
    queryKey: [path, version],
    queryFn: ({ signal }) => get<TablePartitions>(path, signal),
    placeholderData: keepPreviousData,
  });
  const { data } = partitions;
  return (
    <Card title={`${t('lake.partitions')} (${num(data?.total)})`}>
      <Problem error={partitions.error} />
      <Table
        rows={data?.rows}
        keyOf={({ values }) => JSON.stringify(values)}
        columns={(column) => [
          ...(data?.columns ?? []).map((name) => column(name, ({ values }) => values[name] ?? 'NULL')),
          column(t('lake.files'), ({ files }) => num(files), 'n'),
          column(t('common.rows'), ({ rows }) => num(rows), 'n'),
          column(t('common.size'), ({ bytes: size }) => bytes(size), 'n'),
        ]}
      />
      <Pager total={data?.total ?? 0} offset={offset} limit={PAGE} onOffset={setOffset} />
    </Card>
  );
}
