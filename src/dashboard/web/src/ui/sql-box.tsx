/** One SELECT over the lake: limits and the end of it are the server's, stopping is a button. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueryResult } from '../../../../lake/query';
import { download, post } from '../api';
import { commands } from '../commands';
import { num } from '../format';
import { Card, Problem, Twin } from './parts';
import { ResultTable } from './result-table';

const FORMATS = ['csv', 'parquet', 'arrow'] as const;
type Answer = QueryResult & { readonly ms: number };

export function Sql({ initial }: { readonly initial: string }) {
  const { t } = useTranslation();
  const [typed, setSql] = useState<string | null>(null);
  const sql = typed ?? initial;
  const stop = useRef<AbortController>(null);
  const query = useMutation({
    mutationFn: () => {
      stop.current = new AbortController();
      return post<Answer>('/api/sql', { sql, limit: 500 }, stop.current.signal);
    },
  });
  const take = useMutation({
    mutationFn: (format: (typeof FORMATS)[number]) =>
      download('/api/sql/export', { sql, format }, `query.${format}`),
  });
  const stopped = query.error?.name === 'AbortError';
  return (
    <Card title={t('lake.sql')} actions={sql.trim() && <Twin command={commands.query(sql)} />}>
      <div className="pad form">
        <textarea
          className="mono"
          aria-label={t('lake.sqlLabel')}
          spellCheck={false}
          value={sql}
          onChange={({ target }) => setSql(target.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) query.mutate();
          }}
        />
        <div className="row">
          <button
            className="primary"
            disabled={query.isPending || sql.trim() === ''}
            onClick={() => query.mutate()}
          >
            {t('lake.run')} (Ctrl+Enter)
          </button>
          {query.isPending && <button onClick={() => stop.current?.abort()}>{t('lake.stop')}</button>}
          {query.data &&
            FORMATS.map((format) => (
              <button
                type="button"
                key={format}
                disabled={take.isPending}
                onClick={() => take.mutate(format)}
              >
                ↓ {format === 'csv' ? 'CSV' : format === 'parquet' ? 'Parquet' : 'Arrow'}
              </button>
            ))}
          {query.data && <Twin command={commands.queryCsv(sql)} />}
          {query.data && (
            <span className="dim small">
              {num(query.data.rows.length)} · {num(query.data.ms)} ms
              {query.data.truncated ? ` · ${t('lake.truncated')}` : ''} ·{' '}
              {query.data.tables.map(({ name, version }) => `${name}@${version}`).join(', ')}
            </span>
          )}
        </div>
        <Problem error={stopped ? null : (query.error ?? take.error)} />
      </div>
      {query.data && <ResultTable result={query.data} />}
    </Card>
  );
}
