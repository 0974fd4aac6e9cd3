/** Steps over time: those that ended, and those under way with their progress and what went wrong in earlier attempts. */
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import type { StepRecord } from '../../../../contracts/run';
import type { RunView } from '../../../server/run-view';
import { bytes, num, seconds } from '../format';
import { useNow } from '../live';
import { Badge } from './parts';

export function Gantt({ view, steps }: { readonly view: RunView; readonly steps: readonly StepRecord[] }) {
  const { t } = useTranslation();
  const now = useNow();
  const from = Date.parse(view.startedAt);
  const to = Math.max(from + 1, view.finishedAt ? Date.parse(view.finishedAt) : now);
  const place = (start: number, end: number) => ({
    left: `${(100 * (start - from)) / (to - from)}%`,
    width: `${(100 * Math.max(0, end - start)) / (to - from)}%`,
  });
  return (
    <div className="gantt">
      {steps.map((step, index) => {
        const [start, end] = [Date.parse(step.startedAt), Date.parse(step.finishedAt)];
        const took = Math.max(0.001, (end - start) / 1000);
        return (
          <Fragment key={`${step.step} ${index}`}>
            <span title={step.detail}>
              {step.step}
              {step.attempt > 1 && <span className="small"> {t('run.attempt', { n: step.attempt })}</span>}
            </span>
            <span className="lane" title={step.detail}>
              <i
                className={step.outcome === 'ok' ? '' : step.outcome === 'conflict' ? 'warn' : 'idle'}
                style={place(start, end)}
              />
            </span>
            <span className="small dim">
              {seconds(took)}
              {step.rows > 0 && ` · ${num(step.rows)} (${num(step.rows / took)}/s)`}
              {step.bytes > 0 && ` · ${bytes(step.bytes)}`}
            </span>
          </Fragment>
        );
      })}
      {view.pending.map((pending, index) => {
        const { progress } = pending;
        const share = progress && progress.total > 0 ? progress.done / progress.total : null;
        return (
          <Fragment key={`${pending.activity} ${index}`}>
            <span>
              {pending.activity}{' '}
              <Badge word={pending.state === 'running' ? 'running' : pending.attempt > 1 ? 'late' : 'due'} />
            </span>
            <span className="lane">
              <i className="info" style={place(pending.since ? Date.parse(pending.since) : now, now)} />
            </span>
            <span className="small dim">
              {pending.attempt > 1 && `${t('run.attempt', { n: pending.attempt })} `}
              {progress && `${progress.phase} ${num(progress.done)}/${num(progress.total)} ${progress.unit}`}
              {share !== null && <progress value={share} max={1} aria-label={progress?.phase ?? ''} />}
            </span>
            {pending.lastFailure && (
              <>
                <span />
                <span className="small badge bad">{pending.lastFailure}</span>
                <span />
              </>
            )}
          </Fragment>
        );
      })}
    </div>
  );
}
