/** Who is signed in, and what their role allows. */
import { useQuery } from '@tanstack/react-query';
import { createContext, useContext, useState, type FormEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { get, post, setCsrf } from './api';
import { Problem } from './ui/parts';

interface Session {
  readonly user: { readonly name: string; readonly role: 'viewer' | 'operator' | 'admin' } | null;
  readonly csrf: string | null;
  readonly hasUsers: boolean;
}

const ORDER = ['viewer', 'operator', 'admin'] as const;
const Context = createContext<{
  readonly name: string;
  readonly role: string;
  readonly may: (role: (typeof ORDER)[number]) => boolean;
}>({ name: '', role: '', may: () => false });
export const useSession = () => useContext(Context);

export function SignedIn({ children }: { readonly children: ReactNode }) {
  const session = useQuery({
    queryKey: ['session'],
    queryFn: async () => {
      const answer = await get<Session>('/api/session');
      setCsrf(answer.csrf);
      return answer;
    },
  });
  if (session.error) return <Problem error={session.error} />;
  if (!session.data) return null;
  const { user } = session.data;
  if (!user) return <Login hasUsers={session.data.hasUsers} onDone={() => void session.refetch()} />;
  const may = (role: (typeof ORDER)[number]): boolean => ORDER.indexOf(user.role) >= ORDER.indexOf(role);
  return <Context.Provider value={{ ...user, may }}>{children}</Context.Provider>;
}

function Login({ hasUsers, onDone }: { readonly hasUsers: boolean; readonly onDone: () => void }) {
  const { t } = useTranslation();
  const [error, setError] = useState<unknown>(null);
  const token = location.pathname === '/welcome' ? location.hash.slice(1) : '';
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const body = { name: String(form.get('name')), password: String(form.get('password')) };
    const done = (): void => {
      if (token) history.replaceState(null, '', '/');
      onDone();
    };
    post(token ? '/api/welcome' : '/api/login', token ? { ...body, token } : body).then(done, setError);
  };
  return (
    <main className="login">
      <form className="card form" onSubmit={submit}>
        <h1>DataLab</h1>
        {token ? <p>{t('access.welcome')}</p> : !hasUsers && <p className="dim">{t('access.noUsers')}</p>}
        <label className="field">
          {t('access.name')}
          <input name="name" autoComplete="username" required autoFocus />
        </label>
        <label className="field">
          {t('access.password')}
          <input
            name="password"
            type="password"
            required
            minLength={token ? 12 : 1}
            autoComplete={token ? 'new-password' : 'current-password'}
          />
        </label>
        {token && <span className="small dim">{t('access.min12')}</span>}
        <Problem error={error} />
        <button className="primary">{token ? t('access.create') : t('access.signIn')}</button>
      </form>
    </main>
  );
}
