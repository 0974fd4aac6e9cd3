/**
 * XGBoost's own shared library, called synchronously on one thread: asynchronous calls run on a thread each, and the
 * library's random numbers belong to the thread. Only for processes made for training, since a call blocks until it is done.
 */
import { createRequire } from 'node:module';
import type * as Koffi from 'koffi';
import { DatalabError } from '../../contracts/errors.js';

type Handle = unknown;
type Call = (...values: unknown[]) => number;

interface Library {
  readonly lastError: () => string;
  readonly call: (name: keyof typeof SIGNATURES, ...values: unknown[]) => void;
  readonly koffi: typeof Koffi;
  readonly version: string;
}

const SIGNATURES = {
  XGDMatrixCreateFromMat:
    'int XGDMatrixCreateFromMat(const float *data, uint64_t rows, uint64_t columns, float missing, _Out_ void **out)',
  XGDMatrixSetFloatInfo:
    'int XGDMatrixSetFloatInfo(void *matrix, const char *field, const float *data, uint64_t length)',
  XGDMatrixFree: 'int XGDMatrixFree(void *matrix)',
  XGBoosterCreate: 'int XGBoosterCreate(void **matrices, uint64_t length, _Out_ void **out)',
  XGBoosterFree: 'int XGBoosterFree(void *booster)',
  XGBoosterSetParam: 'int XGBoosterSetParam(void *booster, const char *name, const char *value)',
  XGBoosterUpdateOneIter: 'int XGBoosterUpdateOneIter(void *booster, int round, void *matrix)',
  XGBoosterSetStrFeatureInfo:
    'int XGBoosterSetStrFeatureInfo(void *booster, const char *field, const char **texts, uint64_t length)',
  XGBoosterPredictFromDMatrix:
    'int XGBoosterPredictFromDMatrix(void *booster, void *matrix, const char *config, _Out_ uint64_t **shape, _Out_ uint64_t *dimensions, _Out_ float **result)',
  XGBoosterSaveModelToBuffer:
    'int XGBoosterSaveModelToBuffer(void *booster, const char *config, _Out_ uint64_t *length, _Out_ uint8_t **bytes)',
  XGBoosterLoadModelFromBuffer:
    'int XGBoosterLoadModelFromBuffer(void *booster, const uint8_t *bytes, uint64_t length)',
} as const;

export interface XgboostData {
  readonly x: Float32Array;
  readonly y: Float32Array;
  readonly names: readonly string[];
}

/** Opens the library. Throws MODEL_ENGINE_MISSING where it cannot be loaded. */
export function openXgboost(file: string) {
  const library = load(file);
  return {
    version: `xgboost ${library.version}`,
    train: (
      parameters: Readonly<Record<string, string>>,
      data: XgboostData,
      rounds: number,
      onRound: (round: number) => void,
    ) => {
      const matrix = makeMatrix(library, data.x, data.names.length, data.y);
      try {
        const booster = makeBooster(library, [matrix]);
        try {
          for (const [name, value] of Object.entries(parameters))
            library.call('XGBoosterSetParam', booster, name, value);
          library.call('XGBoosterSetStrFeatureInfo', booster, 'feature_name', data.names, data.names.length);
          library.call(
            'XGBoosterSetStrFeatureInfo',
            booster,
            'feature_type',
            data.names.map(() => 'float'),
            data.names.length,
          );
          for (let round = 0; round < rounds; round += 1) {
            onRound(round);
            library.call('XGBoosterUpdateOneIter', booster, round, matrix);
          }
          return opened(library, booster);
        } catch (error) {
          library.call('XGBoosterFree', booster);
          throw error;
        }
      } finally {
        library.call('XGDMatrixFree', matrix);
      }
    },
    load: (json: string) => {
      const booster = makeBooster(library, []);
      const bytes = Buffer.from(json);
      library.call('XGBoosterLoadModelFromBuffer', booster, bytes, bytes.length);
      return opened(library, booster);
    },
  };
}

function opened(library: Library, booster: Handle) {
  return {
    predict: (x: Float32Array, width: number): Float32Array => {
      const matrix = makeMatrix(library, x, width);
      try {
        const result: unknown[] = [null];
        const config = JSON.stringify({
          type: 0,
          training: false,
          iteration_begin: 0,
          iteration_end: 0,
          strict_shape: false,
        });
        const [shape, dimensions]: [unknown[], Array<number | bigint>] = [[null], [0]];
        library.call('XGBoosterPredictFromDMatrix', booster, matrix, config, shape, dimensions, result);
        // Rows, and, where a prediction is several numbers, how many.
        const sizes = library.koffi.decode(
          shape[0],
          library.koffi.array('uint64_t', Number(dimensions[0])),
        ) as ArrayLike<number | bigint>;
        const length = Array.from(sizes, Number).reduce((product, size) => product * size, 1);
        return Float32Array.from(
          library.koffi.decode(result[0], library.koffi.array('float', length)) as ArrayLike<number>,
        );
      } finally {
        library.call('XGDMatrixFree', matrix);
      }
    },
    save: (format: 'ubj' | 'json'): Uint8Array => {
      const length: [number | bigint] = [0];
      const bytes: unknown[] = [null];
      library.call('XGBoosterSaveModelToBuffer', booster, JSON.stringify({ format }), length, bytes);
      return Uint8Array.from(
        library.koffi.decode(
          bytes[0],
          library.koffi.array('uint8_t', Number(length[0])),
        ) as ArrayLike<number>,
      );
    },
    close: (): void => library.call('XGBoosterFree', booster),
  };
}

function makeMatrix(library: Library, x: Float32Array, width: number, y?: Float32Array): Handle {
  const out: unknown[] = [null];
  library.call('XGDMatrixCreateFromMat', x, x.length / width, width, NaN, out);
  if (y) library.call('XGDMatrixSetFloatInfo', out[0], 'label', y, y.length);
  return out[0];
}

function makeBooster(library: Library, matrices: readonly Handle[]): Handle {
  const out: unknown[] = [null];
  library.call('XGBoosterCreate', matrices, matrices.length, out);
  return out[0];
}

function load(file: string): Library {
  try {
    // CommonJS on purpose: the package has its types there, and a missing binary is then an error that can be caught.
    const koffi = createRequire(import.meta.url)('koffi') as typeof Koffi;
    const shared = koffi.load(file);
    const lastError = shared.func('const char *XGBGetLastError()') as unknown as () => string;
    const calls = new Map(
      Object.entries(SIGNATURES).map(([name, text]) => [name, shared.func(text) as unknown as Call]),
    );
    const parts: Array<[number]> = [[0], [0], [0]];
    (
      shared.func(
        'void XGBoostVersion(_Out_ int *major, _Out_ int *minor, _Out_ int *patch)',
      ) as unknown as Call
    )(...parts);
    return {
      koffi,
      lastError,
      version: parts.map(([part]) => part).join('.'),
      call: (name, ...values) => {
        if (calls.get(name)?.(...values) !== 0)
          throw new DatalabError('MODEL_ENGINE_FAILED', `XGBoost: ${lastError().split('\n')[0] ?? ''}`);
      },
    };
  } catch (error) {
    throw new DatalabError(
      'MODEL_ENGINE_MISSING',
      `XGBoost's library cannot be loaded from ${file}: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}
