/** Runs, filtered and paged by the server; the filter is in the address. */
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { RunPage } from '../../../server/runs';
import { get, post, queryOf } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { num } from '../format';
import { useSection } from '../live';
import { useSession } from '../session';
import { Empty, Problem, Twin } from '../ui/parts';
import { DATA_FLOWS, dayOf, UNWELL } from '../days';
import { useDatasetNames } from '../datasets';
import { runHref, RunTable } from '../ui/run-table';

const STATUSES = ['running', 'completed', 'failed', 'canceled', 'terminated', 'timed_out'];
/** A day in the address is the reader's; a link from a figure brings the very instant. */
const instantOf = (since: string): string =>
  /^\d{4}-\d{2}-\d{2}$/.test(since) ? new Date(`${since}T00:00:00`).toISOString() : since;

export default function Runs() {
  const { t } = useTranslation();
  const [filter, set] = useFilter();
  const value = (name: string): string => filter.get(name) ?? '';
  const names = ['flow', 'dataset', 'status', 'search', 'cursor'];
  const asked = Object.fromEntries(names.map((name) => [name, value(name)]));
  const path = `/api/runs${queryOf({ ...asked, since: instantOf(value('since')) })}`;
  const page = useQuery({
    queryKey: [path],
    queryFn: ({ signal }) => get<RunPage>(path, signal),
    placeholderData: keepPreviousData,
  });
  const newest = useSection('runs').value;
  const stamp = newest ? newest.newest.map(({ runId, status, phase }) => runId + status + phase).join() : '';
  const { refetch } = page;
  useEffect(() => void refetch(), [stamp, refetch]);
  const datasets = useDatasetNames();
  const choose = (name: string, label: string, options: ReadonlyArray<readonly [string, string]>) => (
    <select aria-label={label} value={value(name)} onChange={({ target }) => set({ [name]: target.value })}>
      <option value="">
        {label}: {t('common.all')}
      </option>
      {options.map(([option, said]) => (
        <option key={option} value={option}>
          {said}
        </option>
      ))}
    </select>
  );
  const plain = (one: string): readonly [string, string] => [one, one];
  return (
    <>
      <div className="head">
        <h1>{t('nav.runs')}</h1>
        <span className="dim">{page.data ? t('runs.total', { count: page.data.total }) : ''}</span>
        <span className="push">
          <StartRun />
        </span>
      </div>
      <div className="row">
        {choose('flow', t('common.flow'), [
          [DATA_FLOWS, t('runs.data')],
          ...(page.data?.flows ?? []).map(plain),
        ])}
        {choose('dataset', t('common.dataset'), datasets.map(plain))}
        {choose('status', t('runs.status'), [
          ...STATUSES.map((one) => [one, t(`word.${one}` as 'word.ok')] as const),
          [UNWELL, t('runs.unwell')],
        ])}
        <label className="inline small dim">
          {t('runs.since')}
          <input
            type="date"
            value={value('since') && dayOf(new Date(instantOf(value('since'))))}
            onChange={({ target }) => set({ since: target.value })}
          />
        </label>
        <input
          type="search"
          placeholder={t('runs.search')}
          aria-label={t('runs.search')}
          value={value('search')}
          onChange={({ target }) => set({ search: target.value }, { isTyped: true })}
        />
        <Twin command={commands.listRuns()} />
      </div>
      <Problem error={page.error} />
      <section className="card">
        {page.data?.rows.length === 0 ? (
          <Empty>{t('common.nothing')}</Empty>
        ) : (
          <RunTable rows={page.data?.rows ?? []} />
        )}
      </section>
      <div className="row">
        {value('cursor') && <button onClick={() => set({ cursor: '' })}>{t('common.first')}</button>}
        {page.data?.next && (
          <button onClick={() => set({ cursor: page.data.next ?? '' })}>
            {t('common.more')} ({num(page.data.total)})
          </button>
        )}
      </div>
    </>
  );
}

export function StartRun() {
  const datasets = useDatasetNames();
  const { t } = useTranslation();
  const { may } = useSession();
  const [, go] = useLocation();
  const dialog = useRef<HTMLDialogElement>(null);
  const [chosen, setChosen] = useState({ dataset: '', logicalTime: '', rebuild: false });
  const [error, setError] = useState<unknown>(null);
  const dataset = chosen.dataset || datasets[0] || '';
  const command = commands.startRun(dataset, chosen.logicalTime, chosen.rebuild);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const { logicalTime, rebuild } = chosen;
    post<{ workflowId: string; runId: string }>('/api/runs', {
      dataset,
      rebuild,
      ...(logicalTime && { logicalTime }),
    }).then((run) => go(runHref(run)), setError);
  };
  return (
    <>
      <button className="primary" disabled={!may('operator')} onClick={() => dialog.current?.showModal()}>
        {t('runs.start')}
      </button>
      <dialog ref={dialog} aria-label={t('runs.start')}>
        <form onSubmit={submit}>
          <h2>{t('runs.start')}</h2>
          <label className="field">
            {t('common.dataset')}
            <select
              value={dataset}
              onChange={({ target }) => setChosen({ ...chosen, dataset: target.value })}
            >
              {datasets.map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label className="field">
            {t('runs.logical')}
            <input
              value={chosen.logicalTime}
              placeholder={t('runs.logicalHint')}
              onChange={({ target }) => setChosen({ ...chosen, logicalTime: target.value })}
            />
          </label>
          <label className="inline">
            <input
              type="checkbox"
              checked={chosen.rebuild}
              onChange={({ target }) => setChosen({ ...chosen, rebuild: target.checked })}
            />
            {t('runs.rebuild')}
          </label>
          <Problem error={error} />
          <div className="row">
            <button className="primary" disabled={dataset === ''}>
              {t('runs.start')}
            </button>
            <button type="button" onClick={() => dialog.current?.close()}>
              {t('common.cancel')}
            </button>
            <Twin command={command} />
          </div>
        </form>
      </dialog>
    </>
  );
}
