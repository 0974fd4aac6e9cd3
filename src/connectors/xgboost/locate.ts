/** Where XGBoost's shared library is: as configured, else in the Python environment that MLflow brought. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';

const INSIDE = path.join('site-packages', 'xgboost', 'lib', 'libxgboost.so');

/** The path, or undefined with nothing said: whoever needs it says what is left out for want of it. */
export function locateXgboost(configured: string | undefined, env: NodeJS.ProcessEnv): string | undefined {
  if (configured !== undefined && configured !== '') return existsSync(configured) ? configured : undefined;
  const cache =
    env['DATALAB_CACHE_DIR'] || path.join(env['XDG_CACHE_HOME'] || path.join(homedir(), '.cache'), 'datalab');
  const environments = entries(cache)
    .filter((name) => name.startsWith('mlflow-'))
    .sort()
    .reverse();
  const found = environments.flatMap((name) =>
    entries(path.join(cache, name, 'lib')).map((python) => path.join(cache, name, 'lib', python, INSIDE)),
  );
  return found.find((file) => existsSync(file));
}

function entries(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}
