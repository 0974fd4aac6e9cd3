/** OpenLineage run events, as far as DataLab tells them: plain JSON on a topic of its own. */

export type LineageEventType = 'START' | 'COMPLETE' | 'FAIL' | 'ABORT';

export interface LineageFacet {
  readonly _producer: string;
  readonly _schemaURL: string;
  readonly [field: string]: unknown;
}
export type LineageFacets = Readonly<Record<string, LineageFacet>>;

export interface LineageDataset {
  readonly namespace: string;
  readonly name: string;
  readonly facets?: LineageFacets;
}

export interface LineageEvent {
  readonly eventType: LineageEventType;
  readonly eventTime: string;
  readonly producer: string;
  readonly schemaURL: string;
  readonly run: { readonly runId: string; readonly facets: LineageFacets };
  readonly job: { readonly namespace: string; readonly name: string; readonly facets: LineageFacets };
  readonly inputs: ReadonlyArray<LineageDataset & { readonly inputFacets?: LineageFacets }>;
  readonly outputs: ReadonlyArray<LineageDataset & { readonly outputFacets?: LineageFacets }>;
}

/** What a publish keeps in its commit, so that its lineage follows from the commit alone. */
export interface PublishLineage {
  /** When the files were staged: an ISO instant. */
  readonly startedAt: string;
  readonly columns: ReadonlyArray<{ readonly name: string; readonly type: string }>;
  readonly bytes: number;
  readonly files: number;
  /** Bronze: where the sources are, and the columns that go over under their own names. */
  readonly origin?: { readonly location: string; readonly columns: readonly string[] };
}

/** What the record of a run keeps for the same purpose. */
export interface RunLineage {
  /** Where the sources are; null where the dataset could not be read. */
  readonly location: string | null;
  readonly error: string | null;
  readonly assertions: ReadonlyArray<{
    readonly assertion: string;
    readonly name: string;
    readonly success: boolean;
    readonly severity: 'error' | 'warn';
    readonly column?: string;
    readonly expected?: string;
    readonly actual?: string;
    readonly description: string;
  }>;
}
