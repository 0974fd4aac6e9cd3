/** What `doctor` asks the configuration: `datalab.yaml` with the environment, and every dataset. */
import path from 'node:path';
import { loadConfig, type LoadedConfig } from '../../config/config.js';
import { listDatasets, loadDataset } from '../../config/datasets.js';
import { DatalabError } from '../../contracts/errors.js';
import { messageOf, ok, problem, type Finding } from './finding.js';

interface Place {
  readonly projectDirectory: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The configuration, or one finding for each of its problems. */
export async function checkConfig(place: Place): Promise<{ findings: Finding[]; loaded?: LoadedConfig }> {
  try {
    const loaded = await loadConfig(place);
    const { lake, temporal } = loaded.config;
    return { loaded, findings: [ok('configuration', `lake ${lake.uri}, Temporal ${temporal.address}`)] };
  } catch (error) {
    if (!(error instanceof DatalabError)) throw error;
    return { findings: problemsOf(error).map((line) => problem('configuration', line)) };
  }
}

/** One finding for each dataset that is right, and for each problem of the others. */
export async function checkDatasets({ config, projectDirectory }: LoadedConfig): Promise<Finding[]> {
  const directory = path.resolve(projectDirectory, config.datasets.directory);
  const names = await listDatasets(directory);
  if (names.length === 0) return [problem('datasets', `there are none in ${directory}`)];
  const found = await Promise.all(
    names.map(async (name) => {
      try {
        const { columns, gold } = await loadDataset(directory, name, config.quality);
        return [ok(`dataset ${name}`, `${columns.length} columns, ${gold.length} Gold tables`)];
      } catch (error) {
        if (!(error instanceof DatalabError)) return [problem(`dataset ${name}`, messageOf(error))];
        return problemsOf(error).map((line) => problem(`dataset ${name}`, line));
      }
    }),
  );
  return found.flat();
}

/** An error that lists its problems, each on a line of its own; any other as it is. */
function problemsOf(error: DatalabError): string[] {
  const [first = '', ...lines] = error.message.split('\n  - ');
  return lines.length > 0 ? lines : [first];
}
