/** Steps through a list that the server hands out page by page. */
import { useTranslation } from 'react-i18next';
import { num } from '../format';

export function Pager({
  total,
  offset,
  limit,
  onOffset,
}: {
  readonly total: number;
  readonly offset: number;
  readonly limit: number;
  readonly onOffset: (offset: number) => void;
}) {
  const { t } = useTranslation();
  if (total <= limit) return null;
  const last = Math.min(total, offset + limit);
  return (
    <div className="pad row">
      <button type="button" disabled={offset === 0} onClick={() => onOffset(Math.max(0, offset - limit))}>
        ← {t('common.back')}
      </button>
      <span className="dim small">{`${num(offset + 1)}–${num(last)} / ${num(total)}`}</span>
      <button type="button" disabled={last >= total} onClick={() => onOffset(offset + limit)}>
        {t('common.next')} →
      </button>
    </div>
  );
}
