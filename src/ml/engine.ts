/** What training needs of an engine: a port, filled by XGBoost's own library in `src/connectors/xgboost`. */

export interface TrainData {
  /** Row by row, NaN where a value is missing. */
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly names: readonly string[];
}

export interface BoosterEngine {
  /** Name and version, such as `xgboost 3.2.0`. */
  readonly version: string;
  /** Trains for so many rounds. `onRound` is called before each. The caller closes the booster. */
  train(
    parameters: Readonly<Record<string, string>>,
    data: TrainData,
    rounds: number,
    onRound: (round: number) => void,
  ): Booster;
  /** A model from its JSON. */
  load(json: string): Booster;
}

export interface Booster {
  /** One number a row, or one probability per class. */
  predict(x: Float32Array, width: number): Float32Array;
  save(format: 'ubj' | 'json'): Uint8Array;
  close(): void;
}
