/** Schedules: state, expected runs against what happened, how long they take, and the buttons. */
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { FlowRow } from '../../../server/flows';
import { post } from '../api';
import { percent, seconds } from '../format';
import { useSection } from '../live';
import { Action, Badge, Card, Empty, Problem, Time } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Slots } from '../ui/slots';
import { Line } from '../ui/spark';
import { StartRun } from './runs';

export default function Flows() {
  const { t } = useTranslation();
  const measured = useSection('flows');
  const datasets = useSection('datasets').value ?? [];
  return (
    <>
      <div className="head">
        <h1>{t('nav.flows')}</h1>
        <span className="push">
          <StartRun datasets={datasets.map(({ dataset }) => dataset)} />
        </span>
      </div>
      {measured.problem && <Problem error={new Error(measured.problem)} />}
      {measured.value?.length === 0 && <Empty>{t('flows.noSchedules')}</Empty>}
      {measured.value?.map((flow) => (
        <Flow key={flow.scheduleId} flow={flow} of={measured} />
      ))}
    </>
  );
}

function Flow({
  flow,
  of,
}: {
  readonly flow: FlowRow;
  readonly of: NonNullable<ReturnType<typeof useSection<'flows'>>>;
}) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const { scheduleId, paused } = flow;
  const path = `/api/flows/${encodeURIComponent(scheduleId)}`;
  const points = flow.slots.flatMap(({ startedAt, finishedAt, outcome }) =>
    startedAt && finishedAt && outcome !== 'failed'
      ? [{ at: startedAt, value: (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000 }]
      : [],
  );
  return (
    <Card
      title={<span id={scheduleId}>{scheduleId}</span>}
      of={of}
      actions={
        <>
          <span className="dim small">{flow.flow}</span>
          {paused && <Badge word="paused" />}
          {flow.running > 0 && <Badge word="running" />}
        </>
      }
    >
      <div className="pad form">
        <div className="row">
          <Action
            label={t('flows.runNow')}
            tone="primary"
            command={`datalab schedules trigger ${scheduleId}`}
            run={() => post(`${path}/trigger`)}
            after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
          />
          {paused ? (
            <Action
              label={t('flows.resume')}
              command={`datalab schedules resume ${scheduleId}`}
              run={() => post(`${path}/resume`)}
            />
          ) : (
            <Action
              label={t('flows.pause')}
              command={`datalab schedules pause ${scheduleId}`}
              run={() => post(`${path}/pause`, { note: '' })}
            />
          )}
          <span className="dim small push">{flow.note}</span>
        </div>
        <div className="row small">
          <span>
            <span className="dim">{t('flows.every')}</span> <code>{flow.cron}</code> {flow.timezone}
          </span>
          <span>
            <span className="dim">{t('overview.next')}</span> {paused ? '–' : <Time iso={flow.next[0]} />}
          </span>
          <span>
            <span className="dim">{t('flows.success')}</span> {percent(flow.successRate)}
          </span>
          {flow.duration && (
            <span>
              <span className="dim">{t('common.duration')}</span> {seconds(flow.duration.last)} · p50{' '}
              {seconds(flow.duration.p50)} · p95 {seconds(flow.duration.p95)}
            </span>
          )}
          {paused && flow.pauseNote && (
            <span>
              <span className="dim">{t('flows.note')}</span> {flow.pauseNote}
            </span>
          )}
        </div>
        <div>
          <div className="dim small">{t('flows.expected')}</div>
          <Slots slots={flow.slots} />
        </div>
        {points.length > 1 && (
          <Line points={points} label={`${t('common.duration')} (s)`} height={110} min={0} />
        )}
      </div>
    </Card>
  );
}
