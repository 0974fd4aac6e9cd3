/** `datalab doctor`: asks the machine and the configuration; nothing has to run (`./manage.sh health` asks the services). */
import path from 'node:path';
import type { Command } from 'commander';
import { readSettings, type Settings } from '../../platform/settings.js';
import { checkConfig, checkDatasets } from '../doctor/configuration.js';
import { messageOf, problem, type Finding } from '../doctor/finding.js';
import {
  checkAttributes,
  checkFolder,
  checkMemory,
  checkNode,
  checkPorts,
  checkTools,
} from '../doctor/machine.js';
import { EXIT } from '../exit.js';
import { print } from '../session.js';
import { plural, table } from '../text.js';

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('ask the machine and the configuration; exit code 1 when there is a problem')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const findings = await examine();
      const problems = findings.filter(({ state }) => state === 'problem').length;
      const notes = findings.filter(({ state }) => state === 'note').length;
      const rows = findings.map(({ check, state, detail }) => [check, state, detail]);
      const verdict = `${plural(problems, 'problem')}, ${plural(notes, 'note')}`;
      print(json, findings, `${table(['check', 'state', ''], rows)}\n\n${verdict}`);
      if (problems > 0) process.exitCode = EXIT.failed;
    });
}

async function examine(): Promise<Finding[]> {
  const { findings, loaded } = await checkConfig({ projectDirectory: process.cwd(), env: process.env });
  return [
    checkNode(),
    ...(loaded ? [checkMemory(loaded.config.limits.etl.memoryGb)] : []),
    ...(await examinePlatform()),
    ...findings,
    ...(loaded ? await checkDatasets(loaded) : []),
  ];
}

async function examinePlatform(): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = readSettings(process.env);
  } catch (error) {
    return [problem('state folder', messageOf(error))];
  }
  return [
    ...checkTools(settings),
    ...(await checkPorts(settings)),
    checkFolder('state folder', settings.stateDir, 'DATALAB_STATE_DIR'),
    checkFolder('tool cache', path.resolve(settings.cacheDir), 'DATALAB_CACHE_DIR'),
    await checkAttributes(settings),
  ];
}
