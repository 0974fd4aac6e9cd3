/** What probes remember from one sample to the next: rates and trends need two. Kept in the lake, and lost without harm. */

export interface KafkaMemory {
  readonly at: number;
  /** Topic → messages ever written, and when the newest was seen to arrive. */
  readonly topics: Readonly<Record<string, { readonly end: number; readonly newestAt: number | null }>>;
  /** `group topic` → lag in messages, and for how many samples in a row it has grown. */
  readonly lags: Readonly<Record<string, { readonly lag: number; readonly growing: number }>>;
}

export interface LakeMemory {
  readonly tables: Readonly<
    Record<
      string,
      {
        readonly id: string;
        readonly version: number;
        readonly rows: number;
        /** Newest logical time that published rows, in milliseconds. */
        readonly freshest: number | null;
        /** Newest logical time that published at all: also one that found all rows there already. */
        readonly followed: number | null;
        readonly publishedAt: number | null;
      }
    >
  >;
}
