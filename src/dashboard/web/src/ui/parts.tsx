/** Small parts that every page is made of: ages, outcomes, cards, buttons that change something. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Measured } from '../../../server/measured';
import { ApiError } from '../api';
import type { Command } from '../commands';
import { dateTime, relative } from '../format';
import { useNow } from '../live';
import { said } from '../said';
import { useSession } from '../session';

const TONES: Readonly<Record<string, string>> = {
  ok: 'ok',
  completed: 'ok',
  up: 'ok',
  passed: 'ok',
  promoted: 'ok',
  registered: 'info',
  planned: 'info',
  refused: 'bad',
  not_deployed: 'bad',
  aside: 'warn',
  kept: 'warn',
  left: 'warn',
  open: 'warn',
  empty: 'ok',
  done: 'ok',
  running: 'info',
  due: '',
  late: 'warn',
  partial: 'warn',
  warn: 'warn',
  warning: 'warn',
  skipped: '',
  paused: 'warn',
  off: '',
  info: 'info',
  failed: 'bad',
  blocked: 'bad',
  never_started: 'bad',
  down: 'bad',
  critical: 'bad',
  error: 'bad',
  block: 'bad',
  timed_out: 'bad',
  terminated: 'bad',
  quarantine: 'warn',
  canceled: 'warn',
  cancelled: 'warn',
  conflict: 'warn',
};
export const toneOf = (word: string): string => TONES[word] ?? '';

export function Badge({ word }: { readonly word: string | null | undefined }) {
  const { t } = useTranslation();
  if (!word) return <span className="dim">–</span>;
  return (
    <span className={`badge ${toneOf(word)}`}>
      {t(`word.${word}` as 'word.ok', { defaultValue: said(word).replaceAll('_', ' ') })}
    </span>
  );
}

/** A time by the reader's zone; the exact instant in UTC on hover. */
export function Time({
  iso,
  ago = true,
}: {
  readonly iso: string | null | undefined;
  readonly ago?: boolean;
}) {
  const now = useNow();
  if (!iso) return <span className="dim">–</span>;
  return (
    <time dateTime={iso} title={`${dateTime(iso)}\n${iso} (UTC)`}>
      {ago ? relative(iso, now) : dateTime(iso)}
    </time>
  );
}

/** A time to come: by the reader's clock, and how long until then. */
export const Coming = ({ iso }: { readonly iso: string | null | undefined }) =>
  iso ? (
    <span className="nowrap">
      <Time iso={iso} ago={false} />
      <div className="small dim">
        <Time iso={iso} />
      </div>
    </span>
  ) : (
    <Time iso={iso} />
  );

/** How old a figure is; marked where the newest attempt failed or is long ago. */
export function Age({
  of,
  staleMs = 60_000,
}: {
  readonly of: Measured<unknown> | undefined;
  readonly staleMs?: number;
}) {
  const { t } = useTranslation();
  const now = useNow();
  if (!of?.at) return <span className="age">{of?.problem ? '' : t('common.loading')}</span>;
  const stale = of.problem !== null || now - Date.parse(of.at) > staleMs;
  return (
    <span className={`age push ${stale ? 'stale' : ''}`} title={of.at}>
      {stale ? `${t('common.stale')} · ` : ''}
      {t('common.measured')} {relative(of.at, now)}
    </span>
  );
}

/** The age of what a page asked for by itself. */
export const ageOf = (asked: {
  readonly data: unknown;
  readonly dataUpdatedAt: number;
  readonly error: Error | null;
}): Measured<unknown> => ({
  ...{ at: asked.data === undefined ? null : new Date(asked.dataUpdatedAt).toISOString(), value: null },
  problem: asked.error?.message ?? null,
});

export function Card({
  title,
  of,
  actions,
  children,
  staleMs,
}: {
  readonly title: ReactNode;
  readonly of?: Measured<unknown> | undefined;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
  readonly staleMs?: number;
}) {
  const { t } = useTranslation();
  return (
    <section className="card">
      <header>
        <h2>{title}</h2>
        {actions}
        {of && <Age of={of} {...(staleMs !== undefined && { staleMs })} />}
      </header>
      {of?.problem && (
        <div className="pad small banner warn" role="status">
          {t('common.problem')}: {of.problem}
        </div>
      )}
      {children}
    </section>
  );
}

export const Empty = ({ children }: { readonly children: ReactNode }) => (
  <div className="empty">{children}</div>
);

export function Problem({ error }: { readonly error: unknown }) {
  if (!error) return null;
  const problem = error instanceof ApiError ? error.problem : null;
  return (
    <div className="banner bad" role="alert">
      <span>
        {problem ? `${problem.code}: ${problem.message}` : String((error as Error).message ?? error)}
      </span>
      {problem?.remedy && <span className="small">{problem.remedy}</span>}
    </div>
  );
}

/** Puts the command-line twin of a button into the clipboard. */
export function Twin({ command }: { readonly command: Command }) {
  const { t } = useTranslation();
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      className="quiet small"
      title={command}
      aria-label={`${t('common.copy')}: ${command}`}
      onClick={() =>
        void navigator.clipboard.writeText(command).then(() => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        })
      }
    >
      {copied ? `✓ ${t('common.copied')}` : '❯_'}
    </button>
  );
}

interface ActionProps {
  readonly label: string;
  /** The same on the command line. */
  readonly command: Command;
  readonly run: () => Promise<unknown>;
  readonly confirm?: string;
  readonly tone?: 'primary' | 'danger';
  readonly needs?: 'operator' | 'admin';
  readonly after?: (answer: never) => void;
}

/** A button that changes something: asks first where it should, says why it failed, shows its command. */
export function Action({ label, command, run, confirm, tone, needs = 'operator', after }: ActionProps) {
  const { t } = useTranslation();
  const { may } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const { mutate, isPending, error } = useMutation({
    mutationFn: run,
    onSuccess: (answer) => after?.(answer as never),
  });
  const allowed = may(needs);
  return (
    <span className="row">
      <button
        type="button"
        className={tone ?? ''}
        disabled={isPending || !allowed}
        title={allowed ? undefined : t('common.readOnly')}
        onClick={() => (confirm ? dialog.current?.showModal() : mutate())}
      >
        {label}
      </button>
      <Twin command={command} />
      {error && (
        <span role="alert" className="small badge bad">
          {error.message}
        </span>
      )}
      {confirm && (
        <dialog ref={dialog} aria-label={label}>
          <div className="form">
            <p>{confirm}</p>
            <div className="row">
              <button
                type="button"
                className={tone ?? 'primary'}
                onClick={() => {
                  dialog.current?.close();
                  mutate();
                }}
              >
                {label}
              </button>
              <button type="button" onClick={() => dialog.current?.close()}>
                {t('common.cancel')}
              </button>
            </div>
          </div>
        </dialog>
      )}
    </span>
  );
}

export const Json = ({ value, label }: { readonly value: unknown; readonly label: string }) => (
  <pre tabIndex={0} aria-label={label} role="region">
    {JSON.stringify(value, null, 2)}
  </pre>
);
