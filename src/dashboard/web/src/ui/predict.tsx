/** A prediction by one version of a model: by the values of a row, or by a key whose newest row the server reads. */
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { z } from 'zod';
import type { prediction } from '../../../server/shapes/models';
import { post } from '../api';
import { commands } from '../commands';
import { num, percent } from '../format';
import { Card, Problem, Twin } from './parts';

type Predicted = z.input<typeof prediction>;

export function Predict({
  model,
  version,
  example,
  keys,
}: {
  readonly model: string;
  readonly version: string;
  readonly example: Readonly<Record<string, number | null>>;
  readonly keys: readonly string[];
}) {
  const { t } = useTranslation();
  const [key, setKey] = useState<Readonly<Record<string, string>>>({});
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const row = Object.fromEntries(
    Object.entries(example).map(([name, value]) => {
      const text = typed[name] ?? (value === null ? '' : String(Number(value.toPrecision(7))));
      return [name, text === '' ? null : Number(text)] as const;
    }),
  );
  const predict = useMutation({
    mutationFn: (byKey: boolean) =>
      post<Predicted>(`/api/models/${model}/predict`, byKey ? { key } : { version, row }),
  });
  return (
    <Card title={t('models.predict')} actions={<Twin command={commands.predict(model, version, row)} />}>
      <form
        className="pad form"
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          predict.mutate(false);
        }}
      >
        {keys.length > 0 && (
          <div className="row">
            {keys.map((name) => (
              <input
                key={name}
                aria-label={name}
                placeholder={name}
                value={key[name] ?? ''}
                onChange={({ target }) => setKey({ ...key, [name]: target.value })}
              />
            ))}
            <button
              type="button"
              disabled={predict.isPending || keys.some((name) => !key[name])}
              onClick={() => predict.mutate(true)}
            >
              {t('models.predictKey')}
            </button>
          </div>
        )}
        <span className="small dim">{t('models.predictHint')}</span>
        <div className="fields">
          {Object.entries(row).map(([name, value]) => (
            <label className="field" key={name}>
              {name}
              <input
                type="number"
                step="any"
                value={typed[name] ?? value ?? ''}
                onChange={({ target }) => setTyped({ ...typed, [name]: target.value })}
              />
            </label>
          ))}
        </div>
        <div className="row">
          <button className="primary" disabled={predict.isPending}>
            {t('models.predict')}
          </button>
          {predict.data && (
            <output>
              {t('models.prediction')}: <b>{predict.data.class ?? num(predict.data.prediction, 6)}</b>{' '}
              {predict.data.probabilities && (
                <span className="small">
                  {Object.entries(predict.data.probabilities)
                    .map(([name, chance]) => `${name} ${percent(chance)}`)
                    .join(', ')}{' '}
                </span>
              )}
              <span className="small dim">
                {predict.data.by === 'dashboard'
                  ? t('models.predictedBy')
                  : t('models.predictedByServer', { version: predict.data.version })}
                {predict.data.gold && ` · ${predict.data.gold}`}
                {predict.data.time && ` · ${predict.data.time.slice(0, 10)}`}
              </span>
            </output>
          )}
        </div>
        <Problem error={predict.error} />
      </form>
    </Card>
  );
}
