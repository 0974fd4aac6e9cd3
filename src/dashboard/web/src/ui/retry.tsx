/** An ended run tried again: from one of its steps, or afresh. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { RetryStep } from '../../../../client/retry';
import { get, post } from '../api';
import { commands } from '../commands';
import { useSession } from '../session';
import { Badge, Problem, Time, Twin } from './parts';
import { runHref } from './run-table';
import { Table } from './table';

interface Props {
  readonly workflowId: string;
  readonly runId: string;
}

export function Retry(props: Props) {
  const { t } = useTranslation();
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        disabled={!may('operator')}
        onClick={() => {
          setOpen(true);
          dialog.current?.showModal();
        }}
      >
        {t('starting.retry')}
      </button>
      <dialog ref={dialog} aria-label={t('starting.retry')} onClose={() => setOpen(false)}>
        {open && <Choices {...props} onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

function Choices({ workflowId, runId, onClose }: Props & { readonly onClose: () => void }) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const path = `/api/runs/${encodeURIComponent(workflowId)}/${runId}`;
  const steps = useQuery({
    queryKey: ['steps', runId],
    queryFn: () => get<{ steps: RetryStep[] }>(`${path}/steps`),
  });
  const retry = useMutation({
    mutationFn: (body: { from?: string; fresh?: boolean }) =>
      post<{ workflowId: string; runId: string }>(`${path}/retry`, body),
    onSuccess: (run) => go(runHref(run)),
  });
  return (
    <div className="form">
      <h2>{t('starting.retry')}</h2>
      <div className="row">
        <button
          type="button"
          className="primary"
          disabled={retry.isPending}
          onClick={() => retry.mutate({ fresh: true })}
        >
          {t('starting.fresh')}
        </button>
        <Twin command={commands.rerun(workflowId)} />
        <span className="small dim">{t('starting.freshHint')}</span>
      </div>
      <p className="small dim">{t('starting.retryHint')}</p>
      <Problem error={steps.error ?? retry.error} />
      {steps.data?.steps.length === 0 && <p className="dim">{t('starting.noSteps')}</p>}
      {steps.data && steps.data.steps.length > 0 && (
        <div className="scroll steps">
          <Table
            rows={steps.data.steps}
            keyOf={({ eventId }) => eventId}
            columns={[
              { kind: 'mono', cell: ({ activities }) => activities.join(', ') },
              { cell: ({ outcome }) => <Badge word={outcome} /> },
              { kind: 'nowrap small', cell: ({ at }) => <Time iso={at} /> },
              {
                kind: 'row',
                cell: ({ eventId }) => (
                  <>
                    <button
                      type="button"
                      disabled={retry.isPending}
                      onClick={() => retry.mutate({ from: String(eventId) })}
                    >
                      {t('starting.fromStep')}
                    </button>
                    <Twin command={commands.retryRun(workflowId, eventId)} />
                  </>
                ),
              },
            ]}
          />
        </div>
      )}
      <div className="row">
        <button type="button" onClick={onClose}>
          {t('common.cancel')}
        </button>
      </div>
    </div>
  );
}
