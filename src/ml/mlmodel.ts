/** A model as MLflow knows it: the files that its XGBoost flavor loads, with nothing of ours needed to predict. */
import { MLFLOW_VERSION, XGBOOST_VERSION } from './versions.js';

export interface ModelFiles {
  /** The model in XGBoost's binary format, or in its JSON. Python loads both. */
  readonly stored: { readonly format: 'ubj' | 'json'; readonly bytes: Uint8Array };
  readonly featureNames: readonly string[];
  /** Numbers that a prediction consists of; default: one. */
  readonly outputs?: number;
  readonly runId: string;
  readonly createdAt: string;
  readonly example: Readonly<Record<string, number | null>>;
}

/** Seven files by name, for the folder `model` of a run's artifacts. JSON is YAML, so MLmodel is written as JSON. */
export function mlflowFiles({
  stored,
  featureNames,
  outputs = 1,
  runId,
  createdAt,
  example,
}: ModelFiles): Record<string, Uint8Array | string> {
  const file = `model.${stored.format}`;
  const values = featureNames.map((name) => example[name] ?? null);
  const inputs = featureNames.map((name) => ({ type: 'double', name, required: true }));
  const requirements = [
    `mlflow==${MLFLOW_VERSION}`,
    `xgboost-cpu==${XGBOOST_VERSION}`,
    'pandas',
    'numpy',
    'scipy',
  ];
  const mlmodel = {
    artifact_path: 'model',
    flavors: {
      python_function: {
        ...{ loader_module: 'mlflow.xgboost', python_version: '3.11', data: file },
        env: { conda: 'conda.yaml', virtualenv: 'python_env.yaml' },
      },
      xgboost: {
        ...{ code: null, data: file, model_class: 'xgboost.core.Booster', model_format: stored.format },
        xgb_version: XGBOOST_VERSION,
      },
    },
    ...{
      mlflow_version: MLFLOW_VERSION,
      model_size_bytes: stored.bytes.length,
      run_id: runId,
      utc_time_created: createdAt,
    },
    saved_input_example_info: {
      ...{ artifact_path: 'input_example.json', pandas_orient: 'split' },
      ...{ serving_input_path: 'serving_input_example.json', type: 'dataframe' },
    },
    signature: {
      inputs: JSON.stringify(inputs),
      outputs: JSON.stringify([
        { type: 'tensor', 'tensor-spec': { dtype: 'float32', shape: outputs === 1 ? [-1] : [-1, outputs] } },
      ]),
      params: null,
    },
  };
  const split = { columns: featureNames, data: [values] };
  return {
    [file]: stored.bytes,
    MLmodel: `${JSON.stringify(mlmodel, null, 2)}\n`,
    'requirements.txt': `${requirements.join('\n')}\n`,
    'python_env.yaml': 'python: "3.11"\nbuild_dependencies:\n- pip\ndependencies:\n- -r requirements.txt\n',
    'conda.yaml': `name: mlflow-env\nchannels:\n- conda-forge\ndependencies:\n- python=3.11\n- pip\n- pip:\n${requirements.map((one) => `  - ${one}\n`).join('')}`,
    'input_example.json': JSON.stringify(split),
    'serving_input_example.json': JSON.stringify({ dataframe_split: split }),
  };
}
