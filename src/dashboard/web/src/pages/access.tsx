/** Who may do what here, and what they did. */
import { useQuery } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { AuditEntry } from '../../../../contracts/audit-log';
import type { Role } from '../../../server/store';
import { get, post, queryOf, remove } from '../api';
import { commands } from '../commands';
import { useFilter } from '../filter';
import { useSession } from '../session';
import { num } from '../format';
import { said } from '../said';
import { Pager } from '../ui/pager';
import { Action, Card, Empty, Problem, Time, Twin } from '../ui/parts';
import { Table } from '../ui/table';

const PAGE = 50;

export default function Access() {
  const { t } = useTranslation();
  const { may } = useSession();
  return (
    <>
      <div className="head">
        <h1>{t('nav.access')}</h1>
      </div>
      {may('admin') && <People />}
      {may('operator') ? <Audit /> : <Empty>{t('common.readOnly')}</Empty>}
    </>
  );
}

function Audit() {
  const { t } = useTranslation();
  const [filter, set] = useFilter();
  const search = filter.get('search') ?? '';
  const [offset, setOffset] = useState(0);
  const path = `/api/audit${queryOf({ limit: PAGE, offset, search })}`;
  const log = useQuery({
    queryKey: [path],
    queryFn: () => get<{ total: number; rows: AuditEntry[] }>(path),
    refetchInterval: 5000,
  });
  return (
    <Card
      title={`${t('access.audit')} (${num(log.data?.total)})`}
      actions={
        <>
          <input
            type="search"
            aria-label={t('access.search')}
            placeholder={t('access.search')}
            value={search}
            onChange={({ target }) => {
              set({ search: target.value }, { isTyped: true });
              setOffset(0);
            }}
          />
          <Twin command={commands.audit()} />
        </>
      }
    >
      <Problem error={log.error} />
      <Table
        rows={log.data?.rows}
        keyOf={(_, index) => index}
        columns={(column) => [
          column(t('common.when'), ({ at }) => <Time iso={at} />, 'nowrap'),
          column(t('access.who'), ({ who, role }) => (
            <>
              {who}
              <div className="small dim">{said(role)}</div>
            </>
          )),
          column(t('access.action'), ({ action }) => said(action)),
          column(t('access.target'), ({ target }) => target, 'cut'),
          column(t('common.detail'), ({ detail }) => detail, 'mono cut', { title: ({ detail }) => detail }),
          column(t('common.outcome'), ({ outcome }) => said(outcome)),
        ]}
      />
      <Pager total={log.data?.total ?? 0} offset={offset} limit={PAGE} onOffset={setOffset} />
    </Card>
  );
}

interface Known {
  readonly users: ReadonlyArray<{ name: string; role: Role; createdAt: string }>;
  readonly tokens: ReadonlyArray<{ name: string; role: Role; createdAt: string }>;
}

function People() {
  const { t } = useTranslation();
  const { name: me } = useSession();
  const people = useQuery({ queryKey: ['people'], queryFn: () => get<Known>('/api/users') });
  const [secret, setSecret] = useState('');
  const again = (): void => void people.refetch();
  const list = (kind: 'users' | 'tokens') => (
    <Table
      rows={people.data?.[kind]}
      keyOf={({ name }) => name}
      columns={[
        { cell: ({ name }) => name },
        { cell: ({ role }) => said(role) },
        { kind: 'nowrap', cell: ({ createdAt }) => <Time iso={createdAt} /> },
        {
          cell: ({ name }) =>
            name !== me && (
              <Action
                label={t('common.remove')}
                command={kind === 'users' ? commands.removeUser(name) : commands.removeToken(name)}
                tone="danger"
                needs="admin"
                confirm={`${t('common.remove')}: ${name}?`}
                run={() => remove(`/api/${kind}/${name}`)}
                after={again}
              />
            ),
        },
      ]}
    />
  );
  return (
    <div className="grid">
      <Card title={t('access.users')}>
        <Problem error={people.error} />
        {list('users')}
        <Add kind="users" onDone={again} />
      </Card>
      <Card title={t('access.tokens')}>
        {list('tokens')}
        <Add
          kind="tokens"
          onDone={(made) => {
            setSecret(made);
            again();
          }}
        />
        {secret && (
          <div className="pad">
            <p className="small">{t('access.secretOnce')}</p>
            <code>{secret}</code>
          </div>
        )}
      </Card>
    </div>
  );
}

function Add({
  kind,
  onDone,
}: {
  readonly kind: 'users' | 'tokens';
  readonly onDone: (secret: string) => void;
}) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>(null);
  const [name, setName] = useState('');
  const [role, setRole] = useState('viewer');
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    post<{ secret?: string }>(`/api/${kind}`, Object.fromEntries(new FormData(form))).then(({ secret }) => {
      form.reset();
      setName('');
      setError(null);
      onDone(secret ?? '');
    }, setError);
  };
  return (
    <form className="pad row" onSubmit={submit}>
      <input
        name="name"
        required
        value={name}
        onChange={({ target }) => setName(target.value)}
        placeholder={t('access.name')}
        aria-label={`${t(`access.${kind}`)}: ${t('access.name')}`}
      />
      <select
        name="role"
        value={role}
        onChange={({ target }) => setRole(target.value)}
        aria-label={`${t(`access.${kind}`)}: ${t('access.role')}`}
      >
        <option>viewer</option>
        <option>operator</option>
        <option>admin</option>
      </select>
      {kind === 'users' && (
        <input
          name="password"
          type="password"
          minLength={12}
          required
          placeholder={t('access.password')}
          aria-label={t('access.password')}
          autoComplete="new-password"
        />
      )}
      <button>{t('common.add')}</button>
      {name && (
        <Twin command={kind === 'users' ? commands.addUser(name, role) : commands.addToken(name, role)} />
      )}
      <Problem error={error} />
    </form>
  );
}
