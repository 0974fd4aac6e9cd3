/** The log of a run, searched by the server: only the lines in view are drawn, and only their pages are asked for. */
import { keepPreviousData, useQueries, useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useDeferredValue, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogLine } from '../../../../contracts/run-log';
import type { LogPage } from '../../../../lake/run-log';
import { get, queryOf } from '../api';
import type { Command } from '../commands';
import { clock, num } from '../format';
import { Card, Empty, Problem, Twin } from './parts';

const PAGE = 200;
const LINE_PX = 19;
/** So near to the end counts as at the end: then new lines are followed. */
const NEAR_PX = 40;

export function LogView({
  runId,
  following,
  command,
}: {
  readonly runId: string;
  readonly following: boolean;
  readonly command: (activity: string) => Command;
}) {
  const { t } = useTranslation();
  const [text, setSearch] = useState('');
  const [activity, setActivity] = useState('');
  const search = useDeferredValue(text);
  const asked = { activity, search };
  const head = useQuery({
    queryKey: ['log', runId, asked, 'head', following],
    queryFn: ({ signal }) => get<LogPage>(`/api/logs/${runId}${queryOf({ ...asked, limit: '0' })}`, signal),
    refetchInterval: following ? 2000 : false,
    placeholderData: keepPreviousData,
  });
  const total = head.data?.total ?? 0;
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: total,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  const shown = rows.getVirtualItems();
  const pages = usePages(runId, asked, total, shown[0]?.index ?? 0, shown.at(-1)?.index ?? 0);
  const atEnd = useRef(true);
  useEffect(() => {
    if (following && atEnd.current && total > 0) rows.scrollToIndex(total - 1);
  }, [following, total, rows]);
  return (
    <Card
      title={`${t('run.log')} (${num(total)})`}
      actions={
        <>
          <select
            aria-label={t('run.logOf')}
            value={activity}
            onChange={({ target }) => setActivity(target.value)}
          >
            <option value="">{t('run.allSteps')}</option>
            {head.data?.activities.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
          <input
            type="search"
            aria-label={t('run.searchLog')}
            placeholder={t('run.searchLog')}
            value={text}
            onChange={({ target }) => setSearch(target.value)}
          />
          <Twin command={command(activity)} />
        </>
      }
    >
      <Problem error={head.error ?? pages.error} />
      {(head.data?.leftOut ?? 0) > 0 && <Empty>{t('run.logLeftOut', { count: head.data?.leftOut })}</Empty>}
      {head.data && total === 0 ? (
        <Empty>{t('common.nothing')}</Empty>
      ) : (
        <div
          ref={box}
          className="log mono"
          tabIndex={0}
          role="region"
          aria-label={t('run.log')}
          onScroll={({ currentTarget: { scrollHeight, scrollTop, clientHeight } }) => {
            atEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
          }}
        >
          <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
            {shown.map(({ index, start, key }) => {
              const line = pages.lineAt(index);
              return (
                <div
                  key={key}
                  className={`line ${line?.level ?? ''}`}
                  style={{ transform: `translateY(${start}px)` }}
                  title={line && `${line.time} (UTC)`}
                >
                  {line ? textOf(line) : '…'}
                </div>
              );
            })}
          </div>
        </div>
      )}
    </Card>
  );
}

/** The pages of the lines in view. More lines may have come in between others, so all are asked again where the count moved. */
function usePages(
  runId: string,
  asked: { readonly activity: string; readonly search: string },
  total: number,
  first: number,
  last: number,
): { readonly error: Error | null; readonly lineAt: (index: number) => LogLine | undefined } {
  const from = Math.floor(first / PAGE);
  const numbers =
    total === 0 ? [] : Array.from({ length: Math.floor(last / PAGE) - from + 1 }, (_, at) => from + at);
  const found = useQueries({
    queries: numbers.map((page) => ({
      queryKey: ['log', runId, asked, page, total],
      queryFn: ({ signal }: { signal: AbortSignal }) =>
        get<LogPage>(
          `/api/logs/${runId}${queryOf({ ...asked, offset: String(page * PAGE), limit: String(PAGE) })}`,
          signal,
        ),
      staleTime: Infinity,
      // While the count moves, its lines stay; those of another page would be wrong.
      placeholderData: (before: LogPage | undefined, query: { queryKey: readonly unknown[] } | undefined) =>
        query?.queryKey[3] === page ? before : undefined,
    })),
  });
  return {
    error: found.find(({ error }) => error)?.error ?? null,
    lineAt: (index) => found[Math.floor(index / PAGE) - from]?.data?.lines[index % PAGE],
  };
}

function textOf({ time, level, activity, attempt, message, fields = {} }: LogLine): string {
  const more = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  const said = `${message}${more.join('')}`.replaceAll(/\s*\n\s*/g, ' ⏎ ');
  return `${clock(time)} ${level.padEnd(5)} ${activity}${attempt > 1 ? ` #${attempt}` : ''}: ${said}`;
}
