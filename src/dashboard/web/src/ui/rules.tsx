/** The alert rules that hold, with where each comes from, and the channels with what they delivered. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AlertChannels, AlertRules, RuleInput } from '../../../server/shapes/alerts';
import { get, remove } from '../api';
import { commands } from '../commands';
import { num, seconds } from '../format';
import { useSession } from '../session';
import { said } from '../said';
import { Action, Badge, Card, Problem, Time, Twin } from './parts';
import { NEW_RULE, RuleForm } from './rule-form';
import { Table } from './table';

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
      <Table
        rows={rules.data?.rules}
        keyOf={({ rule }) => rule.name}
        columns={(column) => [
          column(t('quality.rule'), (row) => <Named row={row} />),
          column(t('run.severity'), ({ rule: { enabled, severity } }) =>
            enabled === false ? <span className="badge">{t('rules.off')}</span> : <Badge word={severity} />,
          ),
          column(
            t('alerts.condition'),
            ({ rule: { metric, condition } }) => `${metric} ${condition}`,
            'mono nowrap',
          ),
          column(t('alerts.for'), ({ rule }) => rule.for ?? '–', 'n'),
          column(t('common.detail'), ({ rule }) => said(rule.summary), 'text'),
          {
            kind: 'row',
            cell: ({ rule, origin }) => (
              <>
                <button
                  type="button"
                  className="quiet"
                  disabled={!may('admin')}
                  aria-label={`${t('rules.edit')}: ${rule.name}`}
                  onClick={() => edit(rule, false)}
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
                    after={again}
                  />
                )}
              </>
            ),
          },
        ]}
      />
    </Card>
  );
}

/** The rule's name, and where it comes from. */
function Named({ row: { rule, origin, by, at } }: { readonly row: Row }) {
  const { t } = useTranslation();
  return (
    <>
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
    </>
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
      <Table
        rows={channels.data?.channels}
        keyOf={({ name }) => name}
        columns={(column) => [
          column(t('alerts.channels'), ({ name, kind }) => (
            <>
              {name} {kind !== name && <span className="small dim">{kind}</span>}
              <div className="small">
                {failing[name] ? (
                  <>
                    <Badge word="failed" /> {t('alerts.failing')}: {failing[name]}
                  </>
                ) : (
                  <span className="dim">{t('alerts.fine')}</span>
                )}
              </div>
            </>
          )),
          column(t('rules.takes'), ({ severities }) => severities.join(', ') || '–', 'small'),
          column(t('rules.delivered'), ({ delivered }) => num(delivered), 'n'),
          column(
            t('rules.last'),
            ({ deliveredAt, lagMs }) => (
              <>
                <Time iso={deliveredAt} />
                {lagMs !== null && (
                  <div className="small dim">
                    {t('rules.lag')} {seconds(lagMs / 1000)}
                  </div>
                )}
              </>
            ),
            'nowrap',
          ),
          column(t('rules.undelivered'), ({ undelivered }) => num(undelivered), 'n'),
        ]}
      />
    </Card>
  );
}
