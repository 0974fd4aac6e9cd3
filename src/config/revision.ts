/** Which commit a model comes from: what the environment says, else that of the checkout in which the project lies. */
import { execFileSync } from 'node:child_process';

/** The full hash, with `-dirty` where files differ from it; empty where nobody can tell. */
export function gitRevision(
  projectDirectory: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const told = env['DATALAB_GIT_REVISION'];
  if (told) return told;
  try {
    return execFileSync(
      'git',
      // No tag matches, so that it is always the hash.
      ['-C', projectDirectory, 'describe', '--always', '--dirty', '--abbrev=40', '--exclude=*'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 10_000 },
    ).trim();
  } catch {
    return '';
  }
}
