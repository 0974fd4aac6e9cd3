/** The alert rules that hold, with where each comes from, and the channels with what they delivered. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AlertChannels, AlertRules, RuleInput } from '../../../server/shapes/alerts';
import { get, remove } from '../api';
import { commands } from '../commands';
import { num, seconds } from '../format';
import { useSession } from '../session';
import { Action, Badge, Card, Problem, Time, Twin } from './parts';
import { NEW_RULE, RuleForm } from './rule-form';

type Row = AlertRules['rules'][number];

export function Rules() {
  const { t } = useTranslation();
  const { may } = useSession();
  const queries = useQueryClient();
  const dialog = useRef<HTMLDialogElement>(null);
  const [edited, setEdited] = useState<{ rule: RuleInput; isNew: boolean } | null>(null);
  const rules = useQuery({ queryKey: ['rules'], queryFn: () => get<AlertRules>('/api/alert-rules') });
  const again = (): void => void queries.invalidateQueries({ queryKey: ['rules'] });
  const edit = (rule: RuleInput, isNew: boolean): void => {
    setEdited({ rule, isNew });
    dialog.current?.showModal();
  };
  return (
    <Card
      title={t('alerts.rules')}
      actions={
        <>
          <Twin command={commands.rules()} />
          <button
            type="button"
            className="push"
            disabled={!may('admin')}
            onClick={() => edit(NEW_RULE, true)}
          >
            {t('rules.add')}
          </button>
        </>
      }
    >
      <Problem error={rules.error} />
      <dialog ref={dialog} className="wide" aria-label={t('alerts.rules')} onClose={() => setEdited(null)}>
        {edited && (
          <RuleForm
            {...edited}
            metrics={rules.data?.metrics ?? []}
            onClose={() => dialog.current?.close()}
            onSaved={() => {
              dialog.current?.close();
              again();
            }}
          />
        )}
      </dialog>
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t('quality.rule')}</th>
              <th>{t('run.severity')}</th>
              <th>{t('alerts.condition')}</th>
              <th className="n">{t('alerts.for')}</th>
              <th>{t('common.detail')}</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {rules.data?.rules.map((row) => (
              <RuleRow key={row.rule.name} row={row} onEdit={() => edit(row.rule, false)} onReset={again} />
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}

function RuleRow({
  row: { rule, origin, by, at },
  onEdit,
  onReset,
}: {
  readonly row: Row;
  readonly onEdit: () => void;
  readonly onReset: () => void;
}) {
  const { t } = useTranslation();
  const { may } = useSession();
  return (
    <tr>
      <td>
        <span className="mono">{rule.name}</span>
        <div className="small">
          {origin === 'override' ? (
            <>
              <span className="badge info">{t('rules.override', { by })}</span> <Time iso={at} />
            </>
          ) : (
            <span className="dim">{t(origin === 'built-in' ? 'rules.builtIn' : 'rules.configuration')}</span>
          )}
        </div>
      </td>
      <td>
        {rule.enabled === false ? (
          <span className="badge">{t('rules.off')}</span>
        ) : (
          <Badge word={rule.severity} />
        )}
      </td>
      <td className="mono nowrap">
        {rule.metric} {rule.condition}
      </td>
      <td className="n">{rule.for ?? '–'}</td>
      <td className="text">{rule.summary}</td>
      <td className="row">
        <button
          type="button"
          className="quiet"
          disabled={!may('admin')}
          aria-label={`${t('rules.edit')}: ${rule.name}`}
          onClick={onEdit}
        >
          {t('rules.edit')}
        </button>
        {origin === 'override' && (
          <Action
            label={t('rules.reset')}
            needs="admin"
            confirm={t('rules.confirmReset', { name: rule.name })}
            command={commands.resetRule(rule.name)}
            run={() => remove(`/api/alert-rules/${rule.name}`)}
            after={onReset}
          />
        )}
      </td>
    </tr>
  );
}

export function Channels({ failing }: { readonly failing: Readonly<Record<string, string>> }) {
  const { t } = useTranslation();
  const channels = useQuery({
    queryKey: ['channels'],
    queryFn: () => get<AlertChannels>('/api/alert-channels'),
    refetchInterval: 15_000,
  });
  return (
    <Card title={t('alerts.channels')}>
      <Problem error={channels.error} />
      <div className="scroll" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>{t('alerts.channels')}</th>
              <th>{t('rules.takes')}</th>
              <th className="n">{t('rules.delivered')}</th>
              <th>{t('rules.last')}</th>
              <th className="n">{t('rules.undelivered')}</th>
            </tr>
          </thead>
          <tbody>
            {channels.data?.channels.map((one) => (
              <tr key={one.name}>
                <td>
                  {one.name} {one.kind !== one.name && <span className="small dim">{one.kind}</span>}
                  <div className="small">
                    {failing[one.name] ? (
                      <>
                        <Badge word="failed" /> {t('alerts.failing')}: {failing[one.name]}
                      </>
                    ) : (
                      <span className="dim">{t('alerts.fine')}</span>
                    )}
                  </div>
                </td>
                <td className="small">{one.severities.join(', ') || '–'}</td>
                <td className="n">{num(one.delivered)}</td>
                <td className="nowrap">
                  <Time iso={one.deliveredAt} />
                  {one.lagMs !== null && (
                    <div className="small dim">
                      {t('rules.lag')} {seconds(one.lagMs / 1000)}
                    </div>
                  )}
                </td>
                <td className="n">{num(one.undelivered)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
