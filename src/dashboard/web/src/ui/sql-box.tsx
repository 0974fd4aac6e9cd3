/** One SELECT over the lake: limits and the end of it are the server's, stopping is a button. */
import { useMutation } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { QueryResult } from '../../../../lake/query';
import { post } from '../api';
import { num } from '../format';
import { Card, Problem, Twin } from './parts';
import { ResultTable } from './result-table';

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
  const download = async (): Promise<void> => {
    const text = await post<string>('/api/sql', { sql, limit: 10_000, format: 'csv' });
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([text], { type: 'text/csv' }));
    link.download = 'query.csv';
    link.click();
    URL.revokeObjectURL(link.href);
  };
  return (
    <Card title={t('lake.sql')} actions={<Twin command={`datalab tables query ${JSON.stringify(sql)}`} />}>
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
          {query.data && <button onClick={() => void download()}>{t('common.download')}</button>}
          {query.data && (
            <span className="dim small">
              {num(query.data.rows.length)} · {num(query.data.ms)} ms
              {query.data.truncated ? ` · ${t('lake.truncated')}` : ''} ·{' '}
              {query.data.tables.map(({ name, version }) => `${name}@${version}`).join(', ')}
            </span>
          )}
        </div>
        <Problem error={query.error} />
      </div>
      {query.data && <ResultTable result={query.data} />}
    </Card>
  );
}
