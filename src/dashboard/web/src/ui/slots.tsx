/** Expected runs as squares: one each, coloured by what became of it. */
import { useTranslation } from 'react-i18next';
import { Link } from 'wouter';
import type { Slot } from '../../../../contracts/expected-runs';
import { dateTime } from '../format';
import { toneOf } from './parts';
import { runHref } from './run-table';

export function Slots({ slots }: { readonly slots: readonly Slot[] }) {
  const { t } = useTranslation();
  return (
    <div className="slots">
      {slots.map(({ logicalTime, outcome, detail, workflowId, runId }) => {
        const said = `${dateTime(logicalTime)} (${logicalTime}): ${t(`word.${outcome}` as 'word.ok')} ${detail}`;
        const tone = `slot ${toneOf(outcome) || 'idle'}`;
        return workflowId && runId ? (
          <Link
            key={logicalTime}
            href={runHref({ workflowId, runId })}
            className={tone}
            title={said}
            aria-label={said}
          />
        ) : (
          <span key={logicalTime} className={tone} title={said} role="img" aria-label={said} />
        );
      })}
    </div>
  );
}
