/** One alert rule: edited, tried on the newest sample, compared with what holds, then saved. */
import { useMutation } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { RuleInput, RuleTrialView } from '../../../server/shapes/alerts';
import { post, put } from '../api';
import { commands } from '../commands';
import { Badge, Problem, Time, Twin } from './parts';
import { Table } from './table';

const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export const NEW_RULE: RuleInput = {
  ...{ name: '', metric: '', condition: '> 0', severity: 'warning', summary: '' },
};

/** `label=value` a line. */
const pairsText = (pairs: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(pairs ?? {})
    .map(([label, value]) => `${label}=${value}`)
    .join('\n');
const pairsOf = (text: string): Record<string, string> | undefined => {
  const found = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at < 1 ? [] : [[line.slice(0, at).trim(), line.slice(at + 1).trim()] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
};

/** Without what is not set. */
const plain = (rule: RuleInput): RuleInput =>
  Object.fromEntries(
    Object.entries(rule).filter(([, value]) => value !== undefined && value !== ''),
  ) as RuleInput;

export function RuleForm({
  rule: before,
  metrics,
  isNew,
  onSaved,
  onClose,
}: {
  readonly rule: RuleInput;
  readonly metrics: readonly string[];
  readonly isNew: boolean;
  readonly onSaved: () => void;
  readonly onClose: () => void;
}) {
  const { t } = useTranslation();
  const [rule, setRule] = useState<RuleInput>(before);
  const [texts, setTexts] = useState({
    where: pairsText(before.where),
    labels: pairsText(before.labels),
    unless: (before.unless ?? []).join('\n'),
  });
  const [reviewed, setReviewed] = useState(false);
  const names = texts.unless
    .split('\n')
    .map((one) => one.trim())
    .filter(Boolean);
  const made = plain({
    ...rule,
    where: pairsOf(texts.where),
    labels: pairsOf(texts.labels),
    unless: names.length === 0 ? undefined : names,
    enabled: rule.enabled === false ? false : undefined,
  });
  const trial = useMutation({ mutationFn: () => post<RuleTrialView>('/api/alert-rules/test', made) });
  const save = useMutation({
    mutationFn: () => {
      const { name, ...rest } = made;
      return put(`/api/alert-rules/${encodeURIComponent(name)}`, rest);
    },
    onSuccess: onSaved,
  });
  const set = (next: Partial<RuleInput>): void => {
    setReviewed(false);
    setRule({ ...rule, ...next });
  };
  const input = (name: 'name' | 'metric' | 'condition' | 'for' | 'summary', label: string) => (
    <label className="field">
      {label}
      <input
        required={name !== 'for'}
        disabled={name === 'name' && !isNew}
        value={rule[name] ?? ''}
        {...(name === 'metric' && { list: 'metrics' })}
        onChange={({ target }) => set({ [name]: target.value })}
      />
    </label>
  );
  const area = (name: keyof typeof texts) => (
    <label className="field">
      {t(`rules.${name}`)}
      <textarea
        className="short"
        value={texts[name]}
        onChange={({ target }) => {
          setReviewed(false);
          setTexts({ ...texts, [name]: target.value });
        }}
      />
    </label>
  );
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (reviewed) save.mutate();
        else setReviewed(true);
      }}
    >
      <h2>{isNew ? t('rules.add') : rule.name}</h2>
      <div className="fields">
        {isNew && input('name', t('rules.name'))}
        {input('metric', t('rules.metric'))}
        {input('condition', t('alerts.condition'))}
        {input('for', t('rules.for'))}
        <label className="field">
          {t('rules.severity')}
          <select
            value={rule.severity}
            onChange={({ target }) => set({ severity: target.value as RuleInput['severity'] })}
          >
            {SEVERITIES.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      <datalist id="metrics">
        {metrics.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      {input('summary', t('rules.summary'))}
      <div className="fields">
        {area('where')}
        {area('labels')}
        {area('unless')}
      </div>
      <label className="inline">
        <input
          type="checkbox"
          checked={rule.enabled !== false}
          onChange={({ target }) => set({ enabled: target.checked })}
        />
        {t('rules.enabled')}
      </label>
      {trial.data && <Trial trial={trial.data} />}
      {reviewed && <Changes before={isNew ? null : before} after={made} />}
      <Problem error={trial.error ?? save.error} />
      <div className="row">
        <button type="button" disabled={trial.isPending} onClick={() => trial.mutate()}>
          {t('rules.test')}
        </button>
        <button className="primary" disabled={save.isPending}>
          {reviewed ? t('rules.save') : t('rules.review')}
        </button>
        <Twin command={commands.setRule(JSON.stringify(made))} />
        <button type="button" onClick={onClose}>
          {t('common.cancel')}
        </button>
      </div>
    </form>
  );
}

function Trial({ trial }: { readonly trial: RuleTrialView }) {
  const { t } = useTranslation();
  if (trial.at === null) return <p className="dim">{t('rules.noSample')}</p>;
  return (
    <div className="small" role="status">
      <p>
        <Time iso={trial.at} />: {t('rules.judged', { count: trial.series })},{' '}
        {t('rules.found', { count: trial.findings.length })}
      </p>
      {trial.series === 0 && <p className="badge warn">{t('rules.none')}</p>}
      {trial.findings.slice(0, 8).map((one) => (
        <div key={one.fingerprint}>
          <Badge word={one.severity} /> {one.summary}
        </div>
      ))}
    </div>
  );
}

/** Key by key what would be another. */
function Changes({ before, after }: { readonly before: RuleInput | null; readonly after: RuleInput }) {
  const { t } = useTranslation();
  const [old, fresh] = [before ?? {}, after] as [Record<string, unknown>, Record<string, unknown>];
  const keys = [...new Set([...Object.keys(old), ...Object.keys(fresh)])].filter(
    (key) => JSON.stringify(old[key]) !== JSON.stringify(fresh[key]),
  );
  const said = (value: unknown): string =>
    value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value);
  return (
    <section aria-label={t('rules.changes')}>
      {keys.length === 0 ? (
        <p className="dim">{t('rules.nothing')}</p>
      ) : (
        <Table
          className="small"
          rows={keys}
          keyOf={(key) => key}
          columns={(column) => [
            column(t('rules.changes'), (key) => key, 'mono'),
            column(t('rules.now'), (key) => said(old[key]), 'mono was'),
            column(t('rules.next'), (key) => said(fresh[key]), 'mono becomes'),
          ]}
        />
      )}
      <p className="small dim">{t('rules.effect')}</p>
    </section>
  );
}
