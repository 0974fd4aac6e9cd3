/** What the columns of a table hold: measured when it is asked for, since it reads the table. */
import { useMutation } from '@tanstack/react-query';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { ColumnProfile, TableProfile } from '../../../../lake/profile';
import { get } from '../api';
import { num, percent } from '../format';
import { Histogram } from './bars';
import { Card, Problem } from './parts';

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
          {profile.isPending && (
            <button type="button" onClick={() => stop.current?.abort()}>
              {t('lake.stop')}
            </button>
          )}
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
        <div className="scroll" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th>{t('lake.column')}</th>
                <th>{t('lake.spread')}</th>
                <th className="n">{t('lake.nulls')}</th>
                <th className="n">{t('lake.distinct')}</th>
                <th>{t('lake.min')}</th>
                <th>{t('lake.max')}</th>
              </tr>
            </thead>
            <tbody>
              {data.columns.map((column) => (
                <tr key={column.name}>
                  <td className="mono">
                    {column.name}
                    <div className="small dim">{column.type}</div>
                  </td>
                  <td>
                    <Spread column={column} />
                  </td>
                  <td className="n">
                    {num(column.nulls)}
                    {column.nulls > 0 && (
                      <div className="small dim">{percent(column.nulls / Math.max(1, data.rows))}</div>
                    )}
                  </td>
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
