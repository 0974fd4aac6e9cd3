/** The frame of the page: sign-in, navigation, theme and language, and the routes; each page is loaded when it is opened. */
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import { post } from './api';
import { chooseLanguage } from './i18n';
import { learn, said } from './said';
import { Live, useConnected, useSection } from './live';
import { Overview } from './pages/overview';
import { SignedIn, useSession } from './session';

const Runs = lazy(() => import('./pages/runs'));
const Run = lazy(() => import('./pages/run'));
const Flows = lazy(() => import('./pages/flows'));
const Lake = lazy(() => import('./pages/lake'));
const Quality = lazy(() => import('./pages/quality'));
const Lineage = lazy(() => import('./pages/lineage'));
const Alerts = lazy(() => import('./pages/alerts'));
const Services = lazy(() => import('./pages/services'));
const Access = lazy(() => import('./pages/access'));
const Models = lazy(() => import('./pages/models'));
const Model = lazy(() => import('./pages/model'));
const Maintenance = lazy(() => import('./pages/maintenance'));

const PAGES = [
  'overview',
  'runs',
  'flows',
  'lake',
  'quality',
  'lineage',
  'models',
  'alerts',
  'maintenance',
  'services',
  'access',
] as const;

export const App = () => (
  <SignedIn>
    <Live>
      <Shell />
    </Live>
  </SignedIn>
);

function Shell() {
  const { t } = useTranslation();
  const connected = useConnected();
  return (
    <div className="shell">
      <a className="skip" href="#content">
        {t('common.skip')}
      </a>
      <Side />
      <main id="content" tabIndex={-1}>
        {!connected && (
          <div className="banner warn" role="status">
            {t('common.offline')}
          </div>
        )}
        <Suspense fallback={null}>
          <Switch>
            <Route path="/" component={Overview} />
            <Route path="/runs" component={Runs} />
            <Route path="/runs/:workflowId/:runId">
              {({ workflowId, runId }) => (
                <Run key={runId} workflowId={decodeURIComponent(workflowId)} runId={runId} />
              )}
            </Route>
            <Route path="/flows" component={Flows} />
            <Route path="/lake/:table?">{({ table }) => <Lake key={table ?? ''} table={table} />}</Route>
            <Route path="/quality/:dataset?">
              {({ dataset }) => <Quality key={dataset ?? ''} dataset={dataset} />}
            </Route>
            <Route path="/lineage" component={Lineage} />
            <Route path="/models" component={Models} />
            <Route path="/models/:model">{({ model }) => <Model key={model} model={model} />}</Route>
            <Route path="/maintenance" component={Maintenance} />
            <Route path="/alerts" component={Alerts} />
            <Route path="/services" component={Services} />
            <Route path="/access" component={Access} />
            <Route>
              <Redirect to="/" />
            </Route>
          </Switch>
        </Suspense>
      </main>
    </div>
  );
}

function Side() {
  const { t } = useTranslation();
  const [path] = useLocation();
  const alerts = useSection('alerts').value?.open.length ?? 0;
  const running = useSection('runs').value?.running.length ?? 0;
  const counts: Readonly<Record<string, number>> = { alerts, runs: running };
  return (
    <div className="side">
      <Link href="/" className="brand">
        <img src="/icon.svg" alt="" />
        DataLab
      </Link>
      <nav aria-label="DataLab">
        {PAGES.map((page) => {
          const href = page === 'overview' ? '/' : `/${page}`;
          const here = page === 'overview' ? path === '/' : path.startsWith(href);
          return (
            <Link key={page} href={href} aria-current={here ? 'page' : undefined}>
              {t(`nav.${page}`)}
              {counts[page] ? <span className="small">{counts[page]}</span> : null}
            </Link>
          );
        })}
      </nav>
      <Foot />
    </div>
  );
}

function Foot() {
  const { t, i18n } = useTranslation();
  const { name, role } = useSession();
  const [theme, setTheme] = useState(
    () =>
      localStorage.getItem('datalab.theme') ??
      (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'),
  );
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    localStorage.setItem('datalab.theme', theme);
  }, [theme]);
  return (
    <div className="foot">
      <div className="row">
        <button
          className="quiet"
          onClick={() => setTheme(theme === 'dark' ? 'light' : 'dark')}
          aria-label={`${t('common.theme')}: ${theme}`}
        >
          {theme === 'dark' ? '☾' : '☀'}
        </button>
        <select
          aria-label={t('common.language')}
          value={i18n.language}
          onChange={({ target }) => void learn(target.value).then(() => chooseLanguage(target.value))}
        >
          <option value="en">English</option>
          <option value="pt-BR">Português</option>
        </select>
      </div>
      <span>
        {name} · {said(role)}
      </span>
      <div className="row">
        <a href="/api/docs" target="_blank" rel="noreferrer">
          {t('common.apiDocs')}
        </a>
        <button className="quiet" onClick={() => void post('/api/logout').then(() => location.reload())}>
          {t('common.signOut')}
        </button>
      </div>
    </div>
  );
}
