/** Starting a flow by a form of what it takes. */
import { useMutation, useQuery } from '@tanstack/react-query';
import { useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation } from 'wouter';
import type { InputSchemas } from '../../../server/shapes/flows';
import { get, post } from '../api';
import { commands } from '../commands';
import { useSession } from '../session';
import { filledIn, InputFields, type InputSchema } from './input-form';
import { Problem, Twin } from './parts';
import { runHref } from './run-table';

/** Opens a form for one flow with what a schedule gives it, or for any of them. */
export function StartFlow({
  flow: only,
  input: initial,
  label: own,
}: {
  readonly flow?: string;
  readonly input?: unknown;
  readonly label?: string;
}) {
  const { t } = useTranslation();
  const { may } = useSession();
  const [open, setOpen] = useState(false);
  const dialog = useRef<HTMLDialogElement>(null);
  const label = own ?? t('starting.startFlow');
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
        {label}
      </button>
      <dialog ref={dialog} aria-label={label} onClose={() => setOpen(false)}>
        {open && <Form only={only} initial={initial} onClose={() => dialog.current?.close()} />}
      </dialog>
    </>
  );
}

function Form({
  only,
  initial,
  onClose,
}: {
  readonly only: string | undefined;
  readonly initial: unknown;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const [, go] = useLocation();
  const [chosen, setChosen] = useState(only ?? 'medallionEtl');
  const [typed, setTyped] = useState<unknown>(initial ?? {});
  const schemas = useQuery({
    queryKey: ['flow-inputs'],
    queryFn: () => get<InputSchemas>('/api/flow-inputs'),
  });
  const start = useMutation({
    mutationFn: (input: unknown) =>
      post<{ workflowId: string; runId: string }>('/api/flows/start', { flow: chosen, input }),
    onSuccess: (run) => go(runHref(run)),
  });
  const schema = schemas.data?.flows.find(({ flow }) => flow === chosen)?.schema as InputSchema | undefined;
  const input = schema ? filledIn(schema, typed) : {};
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    start.mutate(input);
  };
  return (
    <form onSubmit={submit}>
      <h2>{only ?? t('starting.startFlow')}</h2>
      <Problem error={schemas.error} />
      {only === undefined && (
        <label className="field">
          {t('starting.flow')}
          <select
            value={chosen}
            onChange={({ target }) => {
              setChosen(target.value);
              setTyped({});
            }}
          >
            {schemas.data?.flows.map(({ flow }) => (
              <option key={flow}>{flow}</option>
            ))}
          </select>
        </label>
      )}
      {schema && (
        <InputFields
          schema={schema}
          value={input}
          choices={schemas.data?.choices ?? {}}
          onChange={setTyped}
        />
      )}
      <Problem error={start.error} />
      <div className="row">
        <button className="primary" disabled={start.isPending || !schema}>
          {t('starting.start')}
        </button>
        <button type="button" onClick={onClose}>
          {t('common.cancel')}
        </button>
        <Twin command={commands.startFlow(chosen, input)} />
      </div>
    </form>
  );
}
