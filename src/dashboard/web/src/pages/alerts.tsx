/** Alerts: what is open, what people say about it, what was told, and the rules behind it. */
import { useQuery } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Episode } from '../../../../contracts/alerts';
import type { AlertTimeline } from '../../../server/shapes/alerts';
import { get, post, queryOf, remove } from '../api';
import { commands } from '../commands';
import { useSection } from '../live';
import { useSession } from '../session';
import { said } from '../said';
import { Pager } from '../ui/pager';
import { Action, Badge, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { Channels, Rules } from '../ui/rules';
import { Table } from '../ui/table';

const TIMELINE_PAGE = 10;
const iso = (ms: number): string => new Date(ms).toISOString();

export default function Alerts() {
  const { t } = useTranslation();
  const measured = useSection('alerts');
  const value = measured.value;
  return (
    <>
      <div className="head">
        <h1>{t('nav.alerts')}</h1>
        {value ? (
          <span className="dim small">
            {t('alerts.lastReport')} <Time iso={iso(value.lastReportAt)} />
          </span>
        ) : null}
        <span className="push">
          <Silence />
        </span>
      </div>
      <Card title={t('alerts.open')} of={measured}>
        {measured.at && !value && <Empty>{t('alerts.noReport')}</Empty>}
        {value?.open.length === 0 && <Empty>{t('overview.noAlerts')}</Empty>}
        {value && value.open.length > 0 && <Episodes episodes={value.open} />}
      </Card>
      {value && value.pending.length > 0 && (
        <Card title={t('alerts.pending')}>
          <Episodes episodes={value.pending} />
        </Card>
      )}
      {value && value.silences.length > 0 && (
        <Card title={t('alerts.silences')}>
          <Table
            rows={value.silences}
            keyOf={({ id }) => id}
            columns={[
              { kind: 'mono', cell: ({ rule }) => rule },
              { cell: ({ reason, by }) => `${reason} (${by})` },
              {
                cell: ({ until }) => (
                  <>
                    {t('alerts.until')} <Time iso={iso(until)} />
                  </>
                ),
              },
              {
                cell: ({ id }) => (
                  <Action
                    label={t('alerts.end')}
                    command={commands.unsilence(id)}
                    run={() => remove(`/api/alerts/silences/${encodeURIComponent(id)}`)}
                  />
                ),
              },
            ]}
          />
        </Card>
      )}
      <div className="grid">
        <Channels failing={value?.failing ?? {}} />
        <Timeline stamp={value?.recent[0]?.at ?? 0} />
      </div>
      <Rules />
    </>
  );
}

function Episodes({ episodes }: { readonly episodes: readonly Episode[] }) {
  const { t } = useTranslation();
  return (
    <Table
      rows={episodes}
      keyOf={({ id }) => id}
      columns={[
        { cell: ({ severity }) => <Badge word={severity} /> },
        {
          cell: ({ summary, fingerprint }) => (
            <>
              {said(summary)}
              <div className="small dim mono">{fingerprint}</div>
            </>
          ),
        },
        { kind: 'nowrap', cell: ({ openedAt, since }) => <Time iso={iso(openedAt ?? since)} /> },
        {
          cell: ({ id, acknowledged }) =>
            acknowledged ? (
              <span className="dim">{t('alerts.ackBy', { name: acknowledged.by })}</span>
            ) : (
              <Action
                label={t('alerts.ack')}
                command={commands.acknowledge(id)}
                run={() => post('/api/alerts/acknowledge', { alert: id })}
              />
            ),
        },
      ]}
    />
  );
}

/** What was recorded of alerts, newest first. */
function Timeline({ stamp }: { readonly stamp: number }) {
  const { t } = useTranslation();
  const [offset, setOffset] = useState(0);
  const path = `/api/alert-timeline${queryOf({ limit: TIMELINE_PAGE, offset })}`;
  const timeline = useQuery({
    queryKey: [path, stamp],
    queryFn: () => get<AlertTimeline>(path),
    placeholderData: (before) => before,
  });
  const { data } = timeline;
  return (
    <Card title={t('alerts.recent')}>
      <Problem error={timeline.error} />
      {data?.rows.length === 0 && <Empty>{t('common.nothing')}</Empty>}
      {data && data.rows.length > 0 && (
        <Table
          rows={data.rows}
          keyOf={(_, index) => index}
          columns={[
            { kind: 'nowrap', cell: ({ at }) => <Time iso={at} /> },
            { cell: ({ change }) => <Badge word={change} /> },
            {
              cell: ({ summary, rule, actor, channel }) => (
                <>
                  {said(summary) || rule}
                  {actor && ` (${actor})`}
                  {channel && ` → ${channel}`}
                </>
              ),
            },
          ]}
        />
      )}
      <Pager total={data?.total ?? 0} offset={offset} limit={TIMELINE_PAGE} onOffset={setOffset} />
    </Card>
  );
}

function Silence() {
  const { t } = useTranslation();
  const { may } = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState({ rule: '', reason: '', minutes: 60 });
  const [error, setError] = useState<unknown>(null);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    post('/api/alerts/silence', form).then(() => dialog.current?.close(), setError);
  };
  return (
    <>
      <button disabled={!may('operator')} onClick={() => dialog.current?.showModal()}>
        {t('alerts.silence')}
      </button>
      <dialog ref={dialog} aria-label={t('alerts.silence')}>
        <form onSubmit={submit}>
          <h2>{t('alerts.silence')}</h2>
          <label className="field">
            {t('quality.rule')}
            <input
              required
              value={form.rule}
              placeholder="table_*"
              onChange={({ target }) => setForm({ ...form, rule: target.value })}
            />
          </label>
          <label className="field">
            {t('alerts.reason')}
            <input
              required
              value={form.reason}
              onChange={({ target }) => setForm({ ...form, reason: target.value })}
            />
          </label>
          <label className="field">
            {t('alerts.minutes')}
            <input
              type="number"
              min={1}
              required
              value={form.minutes}
              onChange={({ target }) => setForm({ ...form, minutes: Number(target.value) })}
            />
          </label>
          <Problem error={error} />
          <div className="row">
            <button className="primary">{t('alerts.silence')}</button>
            <button type="button" onClick={() => dialog.current?.close()}>
              {t('common.cancel')}
            </button>
            <Twin command={commands.silence(form.rule, form.minutes, form.reason)} />
          </div>
        </form>
      </dialog>
    </>
  );
}
