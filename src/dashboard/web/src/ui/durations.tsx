/** How long the recorded runs of a flow took: over time with percentiles, and by phase. */
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Durations as Answer } from '../../../server/shapes/flows';
import { get, queryOf } from '../api';
import { seconds } from '../format';
import { Empty, Problem } from './parts';
import { Line } from './spark';

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
      <div className="scroll" tabIndex={0}>
        <table className="small">
          <thead>
            <tr>
              <th>{t('starting.phase')}</th>
              <th />
              <th className="n">p50</th>
              <th className="n">p95</th>
              <th className="n">p99</th>
            </tr>
          </thead>
          <tbody>
            {[{ ...whole, phase: t('starting.whole') }, ...data.phases].map((one, index) => (
              <tr key={one.phase}>
                <td>{index === 0 ? <b>{one.phase}</b> : one.phase}</td>
                <td className="wide">
                  <span className="bar">
                    <i style={{ width: `${Math.min(100, (100 * one.p50) / (whole.p50 || 1))}%` }} />
                  </span>
                </td>
                <td className="n">{seconds(one.p50)}</td>
                <td className="n">{seconds(one.p95)}</td>
                <td className="n">{seconds(one.p99)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <span className="small dim">{t('starting.runsMeasured', { count: whole.runs })}</span>
    </div>
  );
}
