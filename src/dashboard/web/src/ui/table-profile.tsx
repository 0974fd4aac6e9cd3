/** What the columns of a table hold: measured when it is asked for, since it reads the table. */
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ColumnProfile, TableProfile } from '../../../../lake/profile';
import { get } from '../api';
import { commands } from '../commands';
import { num, percent } from '../format';
import { Histogram } from './bars';
import { Card, Problem, Twin } from './parts';
import { Table } from './table';

export function Profile({ name }: { readonly name: string }) {
  const { t } = useTranslation();
  const stop = useRef<AbortController>(null);
  const profile = useMutation({
    mutationFn: () => {
      stop.current = new AbortController();
      return get<TableProfile>(`/api/tables/${name}/profile`, stop.current.signal);
    },
  });
  const { data } = profile;
  return (
    <Card
      title={t('lake.profile')}
      actions={
        <>
          <button type="button" onClick={() => profile.mutate()} disabled={profile.isPending}>
            {t('lake.measure')}
          </button>
          <Twin command={commands.profileTable(name)} />
          {profile.isPending && (
            <button type="button" onClick={() => stop.current?.abort()}>
              {t('lake.stop')}
            </button>
          )}
          {data && (
            <span className="dim small">
              {name}@{data.version} · {t('amount.rows', { count: data.rows })}
              {data.complete ? '' : ` · ${t('lake.truncated')}`}
            </span>
          )}
        </>
      }
    >
      <Problem error={profile.error} />
      {data && (
        <Table
          rows={data.columns}
          keyOf={({ name: own }) => own}
          columns={(column) => [
            column(
              t('lake.column'),
              ({ name: own, type }) => (
                <>
                  {own}
                  <div className="small dim">{type}</div>
                </>
              ),
              'mono',
            ),
            column(t('lake.spread'), (one) => <Spread column={one} />),
            column(
              t('lake.nulls'),
              ({ nulls }) => (
                <>
                  {num(nulls)}
                  {nulls > 0 && <div className="small dim">{percent(nulls / Math.max(1, data.rows))}</div>}
                </>
              ),
              'n',
            ),
            column(t('lake.distinct'), ({ distinct }) => num(distinct), 'n'),
            column(t('lake.min'), ({ min }) => min ?? '–', 'cut'),
            column(t('lake.max'), ({ max }) => max ?? '–', 'cut'),
          ]}
        />
      )}
    </Card>
  );
}

/** A histogram of numbers and times; the most frequent of other values. */
function Spread({ column: { name, histogram } }: { readonly column: ColumnProfile }) {
  if (histogram.length === 0) return <span className="dim">–</span>;
  if (histogram[0]?.to === null)
    return (
      <ul className="frequent small">
        {histogram.slice(0, 3).map(({ from, rows }) => (
          <li key={from}>
            <code className="cut">{from}</code> <span className="dim">{num(rows)}</span>
          </li>
        ))}
      </ul>
    );
  return (
    <Histogram
      label={`${name}: ${histogram.map(({ from, rows }) => `${from}: ${rows}`).join(', ')}`}
      bars={histogram.map(({ from, to, rows }) => ({ rows, said: `${from} – ${to}: ${num(rows)}` }))}
    />
  );
}
