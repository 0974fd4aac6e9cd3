/** What went wrong in the attempts of a run's steps, also of those that a later attempt made good: from its log. */
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { LogPage } from '../../../../lake/run-log';
import { get, queryOf } from '../api';
import { num } from '../format';
import { Time } from './parts';
import { Table } from './table';

const SHOWN = 20;

export function FailedAttempts({ runId }: { readonly runId: string }) {
  const { t } = useTranslation();
  const { data } = useQuery({
    queryKey: ['log', runId, 'failed attempts'],
    queryFn: ({ signal }) =>
      get<LogPage>(`/api/logs/${runId}${queryOf({ level: 'error', limit: SHOWN })}`, signal),
    refetchInterval: 5000,
  });
  if (!data || data.total === 0) return null;
  return (
    <Table
      rows={data.lines}
      keyOf={(_, index) => index}
      columns={(column) => [
        column(
          `${t('run.earlier')} (${num(data.total)})`,
          ({ activity, attempt }) => `${activity} ${t('run.attempt', { n: attempt })}`,
          'mono',
        ),
        column(t('common.when'), ({ time }) => <Time iso={time} />, 'nowrap'),
        column(t('common.detail'), ({ message, fields }) => (
          <>
            {message}
            {typeof fields?.['code'] === 'string' && <div className="small dim">{fields['code']}</div>}
          </>
        )),
      ]}
    />
  );
}
