/** The log of a run: only the lines in view are drawn, so that a long one scrolls as a short one. */
import { useQuery } from '@tanstack/react-query';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogLine } from '../../../../contracts/run-log';
import { get } from '../api';
import type { Command } from '../commands';
import { num } from '../format';
import { Card, Empty, Problem, Twin } from './parts';

export function LogView({
  runId,
  following,
  command,
}: {
  readonly runId: string;
  readonly following: boolean;
  readonly command: Command;
}) {
  const { t } = useTranslation();
  const [search, setSearch] = useState('');
  const log = useQuery({
    queryKey: ['log', runId, following],
    queryFn: ({ signal }) => get<{ total: number; lines: LogLine[] }>(`/api/logs/${runId}`, signal),
    refetchInterval: following ? 2000 : false,
  });
  const lines = (log.data?.lines ?? [])
    .map((line) => ({ level: line.level, text: textOf(line) }))
    .filter(({ text }) => text.toLowerCase().includes(search.toLowerCase()));
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => 19,
    overscan: 20,
  });
  useEffect(() => {
    if (following) rows.scrollToIndex(lines.length - 1);
  }, [following, lines.length, rows]);
  return (
    <Card
      title={`${t('run.log')} (${num(lines.length)})`}
      actions={
        <>
          <input
            type="search"
            aria-label={t('run.searchLog')}
            placeholder={t('run.searchLog')}
            value={search}
            onChange={({ target }) => setSearch(target.value)}
          />
          <Twin command={command} />
        </>
      }
    >
      <Problem error={log.error} />
      {log.data && lines.length === 0 ? (
        <Empty>{t('common.nothing')}</Empty>
      ) : (
        <div ref={box} className="log mono" tabIndex={0} role="region" aria-label={t('run.log')}>
          <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
            {rows.getVirtualItems().map(({ index, start, key }) => (
              <div
                key={key}
                className={`line ${lines[index]?.level ?? ''}`}
                style={{ transform: `translateY(${start}px)` }}
              >
                {lines[index]?.text}
              </div>
            ))}
          </div>
        </div>
      )}
    </Card>
  );
}

function textOf({ time, level, activity, attempt, message, fields = {} }: LogLine): string {
  const more = Object.entries(fields).map(
    ([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${time.slice(11, 23)} ${level.padEnd(5)} ${activity}${attempt > 1 ? ` #${attempt}` : ''}: ${message}${more.join('')}`;
}
