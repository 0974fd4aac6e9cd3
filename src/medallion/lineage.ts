/**
 * OpenLineage as a pure function of commits (DESIGN law 11): a publish tells of the job that made the version, the record
 * of a run of the run as a whole, which is the parent of the former. The ids follow from table, version and run, so that
 * whatever is told twice is recognised.
 */
import { createHash } from 'node:crypto';
import type { RunFinished } from '../contracts/events.js';
import type {
  LineageDataset,
  LineageEvent,
  LineageEventType,
  LineageFacet,
  LineageFacets,
  PublishLineage,
  RunLineage,
} from '../contracts/lineage.js';
import type { RunOutcome, RunRef } from '../contracts/run.js';

/** Names this program in every event; a name and not an address, since nothing is to be fetched. */
const PRODUCER = 'urn:datalab';
const NAMESPACE = 'datalab';
const SPEC = 'https://openlineage.io/spec';
const SCHEMA_URL = `${SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent`;
const FLOW = 'medallionEtl';

/** A table as events see it. */
export interface LineageTable {
  /** `layer.table`. */
  readonly name: string;
  readonly id: string;
  readonly uri: string;
}

export interface PublishedVersion {
  readonly version: number;
  /** ISO instant of the commit. */
  readonly at: string;
  readonly mode: string;
  readonly run: RunRef;
  readonly rows: number;
  readonly lineage: PublishLineage;
}

const ENDS: Readonly<Record<RunOutcome, LineageEventType>> = {
  ok: 'COMPLETE',
  empty: 'COMPLETE',
  blocked: 'FAIL',
  failed: 'FAIL',
  cancelled: 'ABORT',
};

/** START and COMPLETE of the job that made one version of a table. */
export function publishLineage(table: LineageTable, published: PublishedVersion): LineageEvent[] {
  const { version, at, mode, run, rows, lineage } = published;
  const parent = {
    run: { runId: uuidOf(run.executionId) },
    job: { namespace: NAMESPACE, name: `${FLOW}.${run.dataset}` },
  };
  const base = {
    run: {
      runId: uuidOf(`${table.id}:${version}`),
      facets: {
        parent: facet('ParentRunFacet', '1-2-0', parent),
        nominalTime: facet('NominalTimeRunFacet', '1-0-1', { nominalStartTime: run.logicalTime }),
      },
    },
    job: { namespace: NAMESPACE, name: `${FLOW}.${run.dataset}.${table.name}`, facets: jobFacets('TASK') },
  };
  const change = version === 0 ? 'CREATE' : mode === 'Overwrite' ? 'OVERWRITE' : undefined;
  const output = tableDataset(table, {
    version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: String(version) }),
    schema: facet('SchemaDatasetFacet', '1-2-0', { fields: lineage.columns }),
    ...(change && {
      lifecycleStateChange: facet('LifecycleStateChangeDatasetFacet', '1-0-1', {
        lifecycleStateChange: change,
      }),
    }),
    ...columnLineage(lineage),
  });
  const { bytes: size, files: fileCount } = lineage;
  const outputFacets = {
    outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', {
      rowCount: rows,
      size,
      fileCount,
    }),
  };
  const inputs = inputsOf(table, run.dataset, lineage);
  // A slow clock of the worker that staged the files must not put the start after the end.
  const startedAt = lineage.startedAt < at ? lineage.startedAt : at;
  return [
    event('START', startedAt, { ...base, inputs, outputs: [] }),
    event('COMPLETE', at, { ...base, inputs, outputs: [{ ...output, outputFacets }] }),
  ];
}

/** START and end of a run as a whole. `runsUri` is where `meta.runs` is. */
export function runLineage(runsUri: string, finished: RunFinished, lineage: RunLineage): LineageEvent[] {
  const { location, error, assertions } = lineage;
  const run = {
    runId: uuidOf(finished.executionId),
    facets: {
      nominalTime: facet('NominalTimeRunFacet', '1-0-1', { nominalStartTime: finished.logicalTime }),
    },
  };
  const job = { namespace: NAMESPACE, name: `${FLOW}.${finished.dataset}`, facets: jobFacets('JOB') };
  const quality = {
    dataQualityAssertions: facet('DataQualityAssertionsDatasetFacet', '1-1-0', { assertions }),
  };
  const source = location === null ? [] : [sourceDataset(location)];
  const lake = rootOf(runsUri, 'meta.runs');
  const outputs = finished.tables
    .filter(({ changed }) => changed)
    .map(({ table, version, rows, files }) => ({
      ...tableDataset(
        { name: table, uri: `${lake}/${table.replace('.', '/')}` },
        { version: facet('DatasetVersionDatasetFacet', '1-0-1', { datasetVersion: String(version) }) },
      ),
      outputFacets: {
        outputStatistics: facet('OutputStatisticsOutputDatasetFacet', '1-0-2', {
          rowCount: rows,
          fileCount: files,
        }),
      },
    }));
  const failed: LineageFacets =
    error === null
      ? {}
      : {
          errorMessage: facet('ErrorMessageRunFacet', '1-0-1', {
            message: error,
            programmingLanguage: 'TypeScript',
          }),
        };
  return [
    event('START', finished.startedAt, { run, job, inputs: source, outputs: [] }),
    event(ENDS[finished.outcome], finished.finishedAt, {
      run: { ...run, facets: { ...run.facets, ...failed } },
      job,
      inputs: source.map((dataset) => ({
        ...dataset,
        ...(assertions.length > 0 && { inputFacets: quality }),
      })),
      outputs,
    }),
  ];
}

function event(
  eventType: LineageEventType,
  eventTime: string,
  rest: Pick<LineageEvent, 'run' | 'job' | 'inputs' | 'outputs'>,
): LineageEvent {
  return { eventType, eventTime, producer: PRODUCER, schemaURL: SCHEMA_URL, ...rest };
}

function facet(name: string, version: string, fields: object): LineageFacet {
  return {
    _producer: PRODUCER,
    _schemaURL: `${SPEC}/facets/${version}/${name}.json#/$defs/${name}`,
    ...fields,
  };
}

function jobFacets(jobType: string): LineageFacets {
  const fields = { processingType: 'BATCH', integration: 'DATALAB', jobType };
  return { jobType: facet('JobTypeJobFacet', '2-0-4', fields) };
}

/** What a layer is made from: Bronze from the sources, Silver from Bronze, Gold from Silver. */
function inputsOf(table: LineageTable, dataset: string, { origin }: PublishLineage): LineageDataset[] {
  const [layer] = table.name.split('.');
  if (layer === 'bronze') return origin ? [sourceDataset(origin.location)] : [];
  const upstream = `${layer === 'gold' ? 'silver' : 'bronze'}.${dataset}`;
  const uri = `${rootOf(table.uri, table.name)}/${upstream.replace('.', '/')}`;
  return [tableDataset({ name: upstream, uri }, {})];
}

function tableDataset(
  { name, uri }: Pick<LineageTable, 'name' | 'uri'>,
  facets: LineageFacets,
): LineageDataset {
  const place = placeOf(uri);
  return {
    ...place,
    facets: {
      dataSource: facet('DatasourceDatasetFacet', '1-0-1', { name: place.namespace, uri }),
      symlinks: facet('SymlinksDatasetFacet', '1-0-1', {
        identifiers: [{ namespace: place.namespace, name, type: 'TABLE' }],
      }),
      ...facets,
    },
  };
}

function sourceDataset(location: string): LineageDataset {
  const place = placeOf(location);
  const uri = /^[a-z][a-z0-9+.-]*:/.test(location) ? location : encodeURI(`file:${location}`);
  return {
    ...place,
    facets: { dataSource: facet('DatasourceDatasetFacet', '1-0-1', { name: place.namespace, uri }) },
  };
}

/** Columns of Bronze that are read from a column of the same name. */
function columnLineage({ origin }: PublishLineage): LineageFacets {
  if (!origin) return {};
  const place = placeOf(origin.location);
  const transformations = [
    { type: 'DIRECT', subtype: 'TRANSFORMATION', description: 'read and typed', masking: false },
  ];
  const fields = origin.columns.map((field) => [
    field,
    { inputFields: [{ ...place, field, transformations }] },
  ]);
  return {
    columnLineage: facet('ColumnLineageDatasetFacet', '1-2-0', { fields: Object.fromEntries(fields) }),
  };
}

/** `s3://bucket/a/b` as namespace `s3://bucket` and name `a/b`; files have the namespace `file`. */
function placeOf(uri: string): { namespace: string; name: string } {
  const [, scheme, authority = '', path = ''] =
    /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(?:\/(.*))?$/.exec(uri) ?? [];
  if (scheme === undefined) return { namespace: 'file', name: uri };
  if (scheme === 'file') return { namespace: 'file', name: `/${path}` };
  return { namespace: `${scheme}://${authority}`, name: path === '' ? '/' : path };
}

/** The lake of a table. */
function rootOf(uri: string, name: string): string {
  return uri.slice(0, uri.length - name.length - 1);
}

/** An id that is one already, or one that follows from the text. */
function uuidOf(text: string): string {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)) return text;
  const hex = createHash('sha256').update(`datalab:${text}`).digest('hex');
  // Version 8 is the one for ids that a program makes up by its own rules.
  const variant = ((parseInt(hex.slice(16, 17), 16) & 3) | 8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
