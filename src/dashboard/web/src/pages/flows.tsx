/** Schedules: state, expected runs against what happened, how long they take, and the buttons. */
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { FlowRow } from '../../../server/flows';
import { post } from '../api';
import { commands } from '../commands';
import { percent, seconds } from '../format';
import { useSection } from '../live';
import { said } from '../said';
import { Backfill } from '../ui/backfill';
import { Durations } from '../ui/durations';
import { Action, Badge, Card, Empty, Problem, Time } from '../ui/parts';
import { runHref } from '../ui/run-table';
import { Slots } from '../ui/slots';
import { StartFlow } from '../ui/start-flow';
import { StartRun } from './runs';

/** Flows whose runs leave their steps in `meta`. */
const RECORDED: ReadonlySet<string> = new Set(['medallionEtl', 'mlopsTraining']);

export default function Flows() {
  const { t } = useTranslation();
  const measured = useSection('flows');
  return (
    <>
      <div className="head">
        <h1>{t('nav.flows')}</h1>
        <span className="push row">
          <StartRun />
          <StartFlow />
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
  const { dataset, model } = (flow.input ?? {}) as { dataset?: string; model?: string };
  const stamp = flow.slots.findLast(({ runId }) => runId !== null)?.runId ?? '';
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
            command={commands.trigger(scheduleId)}
            run={() => post(`${path}/trigger`)}
            after={(run: { workflowId: string; runId: string }) => go(runHref(run))}
          />
          {paused ? (
            <Action
              label={t('flows.resume')}
              command={commands.resume(scheduleId)}
              run={() => post(`${path}/resume`)}
            />
          ) : (
            <Action
              label={t('flows.pause')}
              command={commands.pause(scheduleId)}
              run={() => post(`${path}/pause`, { note: '' })}
            />
          )}
          <StartFlow flow={flow.flow} input={flow.input} />
          {flow.flow === 'medallionEtl' && <Backfill schedule={scheduleId} />}
          <span className="dim small push">{said(flow.note)}</span>
        </div>
        <div className="row small">
          <span>
            <span className="dim">{t('flows.every')}</span> <code>{flow.cron}</code> {flow.timezone}
          </span>
          <span>
            <span className="dim">{t('overview.next')}</span>{' '}
            {paused ? (
              '–'
            ) : (
              <>
                <Time iso={flow.next[0]} ago={false} /> (<Time iso={flow.next[0]} />)
              </>
            )}
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
          {paused && flow.pauseNote && flow.pauseNote !== flow.note && (
            <span>
              <span className="dim">{t('flows.note')}</span> {flow.pauseNote}
            </span>
          )}
        </div>
        <div>
          <div className="dim small">{t('flows.expected')}</div>
          <Slots slots={flow.slots} />
        </div>
        {RECORDED.has(flow.flow) && (
          <details>
            <summary className="dim small">{t('starting.durations')}</summary>
            <Durations flow={flow.flow} dataset={dataset ?? model} stamp={stamp} />
          </details>
        )}
      </div>
    </Card>
  );
}
