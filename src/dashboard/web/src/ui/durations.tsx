/** How long the recorded runs of a flow took: over time with percentiles, and by phase. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Durations as Answer } from '../../../server/shapes/flows';
import { get, queryOf } from '../api';
import { seconds } from '../format';
import { Empty, Problem } from './parts';
import { Line } from './spark';
import { Table } from './table';

export function Durations({
  flow,
  dataset,
  stamp,
}: {
  readonly flow: string;
  readonly dataset: string | undefined;
  /** Changes when a run ended. */
  readonly stamp: string;
}) {
  const { t } = useTranslation();
  const path = `/api/durations${queryOf({ flow, dataset })}`;
  const answer = useQuery({
    queryKey: [path, stamp],
    queryFn: () => get<Answer>(path),
    placeholderData: (before) => before,
  });
  const { data } = answer;
  const points = useMemo(() => (data?.runs ?? []).map(({ at, seconds: value }) => ({ at, value })), [data]);
  if (answer.error) return <Problem error={answer.error} />;
  if (!data) return null;
  const { whole } = data;
  if (!whole) return <Empty>{t('starting.noDurations')}</Empty>;
  return (
    <div className="form">
      {points.length > 1 && (
        <Line
          points={points}
          label={`${t('common.duration')} (s)`}
          height={110}
          min={0}
          marks={[whole.p50, whole.p95]}
        />
      )}
      <Table
        className="small"
        rows={[{ ...whole, phase: t('starting.whole') }, ...data.phases]}
        keyOf={({ phase }) => phase}
        columns={(column) => [
          column(t('starting.phase'), ({ phase }, index) => (index === 0 ? <b>{phase}</b> : phase)),
          {
            kind: 'wide',
            cell: ({ p50 }) => (
              <span className="bar">
                <i style={{ width: `${Math.min(100, (100 * p50) / (whole.p50 || 1))}%` }} />
              </span>
            ),
          },
          column('p50', ({ p50 }) => seconds(p50), 'n'),
          column('p95', ({ p95 }) => seconds(p95), 'n'),
          column('p99', ({ p99 }) => seconds(p99), 'n'),
        ]}
      />
      <span className="small dim">{t('starting.runsMeasured', { count: whole.runs })}</span>
    </div>
  );
}
