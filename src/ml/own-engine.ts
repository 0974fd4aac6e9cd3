/**
 * The engine of machines without XGBoost's library: it reads models and predicts, by our own predictor, and trains no trees. Linear
 * models are solved here anyway, so they and the naive rules still compete.
 */
import { DatalabError } from '../contracts/errors.js';
import type { Booster, BoosterEngine } from './engine.js';
import { openPredictor, scoreAll } from './predictor.js';

/** What {@link BoosterEngine.version} says of it. */
export const OWN_ENGINE = 'datalab';

export const ownEngine: BoosterEngine = {
  version: OWN_ENGINE,
  train: () => {
    throw new DatalabError('MODEL_ENGINE_MISSING', "trees are trained by XGBoost's library alone");
  },
  load: (json): Booster => {
    const predictor = openPredictor(json);
    return {
      predict: (x) => Float32Array.from(scoreAll(predictor, x)),
      save: (format) => {
        if (format === 'json') return Buffer.from(json);
        throw new DatalabError('MODEL_ENGINE_MISSING', "only XGBoost's library writes its binary format");
      },
      close: () => undefined,
    };
  },
};
