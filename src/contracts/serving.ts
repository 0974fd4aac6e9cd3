/** What the model server answers: plain data for the command line, the dashboard and other services. */

/** How a version was tried before it was served. */
export interface ParityCheck {
  /** `native`: XGBoost's own library predicted the same rows just now. `stored`: only what it said at training. */
  readonly against: 'native' | 'stored';
  readonly rows: number;
  /** Greatest difference between our prediction and the library's. */
  readonly difference: number;
  /** Why it was not the library; else its version. */
  readonly detail: string;
}

/** One model as it is served, or why it is not. */
export interface ServedModel {
  readonly model: string;
  /** The version that answers; null where none does. */
  readonly version: string | null;
  /** The version that the alias `champion` names. */
  readonly champion: string | null;
  readonly kind: string | null;
  readonly dataset: string | null;
  /** `gold.<table>`, from which predictions by key take their features. */
  readonly table: string | null;
  readonly keys: readonly string[];
  readonly features: readonly string[];
  /** Of a target with several classes. */
  readonly classes?: readonly string[];
  /** Whether a missing value is a value that the model knows. */
  readonly takesMissing: boolean;
  readonly loadedAt: string | null;
  readonly parity: ParityCheck | null;
  /** Why the champion is not what answers. */
  readonly problem: string | null;
}

export interface ServerHealth {
  readonly product: 'datalab';
  readonly service: 'model-server';
  /** Of DataLab. */
  readonly version: string;
  readonly ready: boolean;
  readonly detail: string;
}

export interface Prediction {
  /** The number that the model says; of a binary target the probability of 1, of several classes the place of the likeliest. */
  readonly prediction: number;
  /** Of several classes: the likeliest, and the probability of each by its name. */
  readonly class?: string;
  readonly probabilities?: Readonly<Record<string, number>>;
  /** Of a prediction by key: what was asked for, and the time of the features that it was given. */
  readonly key?: Readonly<Record<string, string | number>>;
  readonly time?: string;
}

export interface PredictAnswer {
  readonly id: string;
  readonly model: string;
  readonly version: string;
  /** Of predictions by key: the table and version of the features. */
  readonly gold?: { readonly table: string; readonly version: number };
  readonly predictions: readonly Prediction[];
}

/** Where the model server leaves what it predicted, until a workflow puts it into the table. */
export const PREDICTIONS_INBOX = '_predictions/';

/** A line of a file in the inbox. */
export interface PredictionRecord {
  readonly id: string;
  readonly at: string;
  readonly model: string;
  readonly version: string;
  /** JSON list of the key's values, and the time of the features; null where the rows came with the request. */
  readonly key: string | null;
  readonly time: string | null;
  readonly prediction: number;
  /** Of several classes: the probability of each, in the order of the model file. */
  readonly probabilities?: readonly number[];
}
