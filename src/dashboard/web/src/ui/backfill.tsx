/** Filling what a schedule owes: a range, a preview of the times, then the runs. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { BackfillSummary } from '../../../../contracts/backfill';
import { post } from '../api';
import { commands } from '../commands';
import { dateTime } from '../format';
import { useSession } from '../session';
import { Badge, Problem, toneOf, Twin } from './parts';
import { runHref } from './run-table';

const MODES = ['missing', 'failed', 'all'] as const;
const DAY_MS = 24 * 3600_000;
/** The value of a `datetime-local` field in the reader's zone. */
const local = (ms: number): string =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export function Backfill({ schedule }: { readonly schedule: string }) {
  const { t } = useTranslation();
  const { may } = useSession();
  const [, go] = useLocation();
  const dialog = useRef<HTMLDialogElement>(null);
  const [range, setRange] = useState(() => ({
    from: local(Date.now() - 7 * DAY_MS),
    to: local(Date.now()),
    mode: 'missing' as (typeof MODES)[number],
    parallel: 1,
  }));
  const instant = (text: string): string => (text ? new Date(text).toISOString() : '');
  const asked = { ...range, from: instant(range.from), to: instant(range.to) };
  const path = `/api/flows/${encodeURIComponent(schedule)}/backfill`;
  const preview = useMutation({ mutationFn: () => post<BackfillSummary>(`${path}/preview`, asked) });
  const start = useMutation({
    mutationFn: () => post<{ workflowId: string; runId: string }>(path, asked),
    onSuccess: (run) => go(runHref(run)),
  });
  const set = (next: Partial<typeof range>): void => {
    preview.reset();
    setRange({ ...range, ...next });
  };
  const moment = (name: 'from' | 'to') => (
    <label className="field">
      {t(`starting.${name}`)}
      <input
        type="datetime-local"
        required
        value={range[name]}
        onChange={({ target }) => set({ [name]: target.value })}
      />
    </label>
  );
  return (
    <>
      <button type="button" disabled={!may('operator')} onClick={() => dialog.current?.showModal()}>
        {t('starting.backfill')}
      </button>
      <dialog ref={dialog} aria-label={`${t('starting.backfill')} ${schedule}`}>
        <form
          onSubmit={(event: FormEvent) => {
            event.preventDefault();
            preview.mutate();
          }}
        >
          <h2>{schedule}</h2>
          <div className="fields">
            {moment('from')}
            {moment('to')}
            <label className="field">
              {t('starting.mode')}
              <select
                value={range.mode}
                onChange={({ target }) => set({ mode: target.value as (typeof MODES)[number] })}
              >
                {MODES.map((mode) => (
                  <option key={mode} value={mode}>
                    {t(`starting.mode_${mode}`)}
                  </option>
                ))}
              </select>
            </label>
            <label className="field">
              {t('starting.parallel')}
              <input
                type="number"
                min={1}
                max={10}
                value={range.parallel}
                onChange={({ target }) => set({ parallel: Number(target.value) })}
              />
            </label>
          </div>
          <Problem error={preview.error ?? start.error} />
          {preview.data && <Planned plan={preview.data} />}
          <div className="row">
            <button disabled={preview.isPending}>{t('starting.preview')}</button>
            <Twin command={commands.backfill(schedule, asked, true)} />
            {preview.data && preview.data.planned > 0 && (
              <>
                <button
                  type="button"
                  className="primary"
                  disabled={start.isPending}
                  onClick={() => start.mutate()}
                >
                  {t('starting.startBackfill', { count: preview.data.planned })}
                </button>
                <Twin command={commands.backfill(schedule, asked, false)} />
              </>
            )}
            <button type="button" onClick={() => dialog.current?.close()}>
              {t('common.cancel')}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}

function Planned({ plan }: { readonly plan: BackfillSummary }) {
  const { t } = useTranslation();
  if (plan.planned === 0) return <p className="dim">{t('starting.nothingOwed')}</p>;
  const counts = new Map<string, number>();
  for (const { outcome } of plan.times) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return (
    <div className="form">
      <div className="slots">
        {plan.times.map(({ logicalTime, outcome }) => {
          const said = `${dateTime(logicalTime)} (${logicalTime}): ${outcome.replaceAll('_', ' ')}`;
          return (
            <span
              key={logicalTime}
              className={`slot ${toneOf(outcome) || 'idle'}`}
              title={said}
              role="img"
              aria-label={said}
            />
          );
        })}
      </div>
      <div className="row small">
        {[...counts].map(([outcome, count]) => (
          <span key={outcome}>
            <Badge word={outcome} /> {count}
          </span>
        ))}
        {plan.planned > plan.times.length && (
          <span className="dim">{t('starting.moreTimes', { count: plan.planned - plan.times.length })}</span>
        )}
      </div>
      {plan.note && <p className="small dim">{plan.note}.</p>}
    </div>
  );
}
