/** Whether the MLflow server can be started here; tests that need it are skipped with the reason, and fail under CI. */
import { readSettings } from '../../src/platform/settings.js';
import { locateMlflow } from '../../src/platform/tools.js';

export const MLFLOW_MISSING: string | undefined = missing();

function missing(): string | undefined {
  try {
    locateMlflow(readSettings(process.env));
    return undefined;
  } catch (error) {
    if (process.env['CI']) throw error;
    return (error as Error).message;
  }
}
