/**
 * The shape of an OpenLineage run event, as the specification (2-0-2) demands it and strict about what it leaves open: a
 * field that we do not know is a mistake of ours. No package brings the schema itself.
 */
import { z } from 'zod';

const base = {
  _producer: z.url(),
  _schemaURL: z
    .string()
    .regex(/^https:\/\/openlineage\.io\/spec\/facets\/\d+-\d+-\d+\/(\w+)\.json#\/\$defs\/\1$/),
};
const place = { namespace: z.string().min(1), name: z.string().min(1) };
const count = z.number().int().nonnegative();
const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const instant = z.iso.datetime();

const runFacets = z.strictObject({
  parent: z
    .strictObject({ ...base, run: z.strictObject({ runId: uuid }), job: z.strictObject(place) })
    .optional(),
  nominalTime: z.strictObject({ ...base, nominalStartTime: instant }).optional(),
  errorMessage: z.strictObject({ ...base, message: z.string(), programmingLanguage: z.string() }).optional(),
});
const jobFacets = z.strictObject({
  jobType: z.strictObject({
    ...base,
    processingType: z.enum(['BATCH', 'STREAMING']),
    integration: z.string(),
    jobType: z.string(),
  }),
});
const inputField = z.strictObject({
  ...place,
  field: z.string(),
  transformations: z.array(
    z.strictObject({
      type: z.enum(['DIRECT', 'INDIRECT']),
      subtype: z.string(),
      description: z.string(),
      masking: z.boolean(),
    }),
  ),
});
const datasetFacets = z.strictObject({
  dataSource: z.strictObject({
    ...base,
    name: z.string(),
    uri: z.string().refine((uri) => URL.canParse(uri)),
  }),
  symlinks: z
    .strictObject({ ...base, identifiers: z.array(z.strictObject({ ...place, type: z.literal('TABLE') })) })
    .optional(),
  version: z.strictObject({ ...base, datasetVersion: z.string() }).optional(),
  schema: z
    .strictObject({ ...base, fields: z.array(z.strictObject({ name: z.string(), type: z.string() })).min(1) })
    .optional(),
  lifecycleStateChange: z
    .strictObject({ ...base, lifecycleStateChange: z.enum(['CREATE', 'OVERWRITE']) })
    .optional(),
  columnLineage: z
    .strictObject({
      ...base,
      fields: z.record(z.string(), z.strictObject({ inputFields: z.array(inputField) })),
    })
    .optional(),
});
const assertion = z.strictObject({
  assertion: z.string(),
  success: z.boolean(),
  column: z.string().optional(),
  severity: z.enum(['error', 'warn']),
  name: z.string(),
  description: z.string(),
  expected: z.string().optional(),
  actual: z.string().optional(),
});

export const runEventSchema = z.strictObject({
  eventType: z.enum(['START', 'COMPLETE', 'FAIL', 'ABORT']),
  eventTime: instant,
  producer: z.url(),
  schemaURL: z.literal('https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent'),
  run: z.strictObject({ runId: uuid, facets: runFacets }),
  job: z.strictObject({ ...place, facets: jobFacets }),
  inputs: z.array(
    z.strictObject({
      ...place,
      facets: datasetFacets,
      inputFacets: z
        .strictObject({
          dataQualityAssertions: z.strictObject({ ...base, assertions: z.array(assertion).min(1) }),
        })
        .optional(),
    }),
  ),
  outputs: z.array(
    z.strictObject({
      ...place,
      facets: datasetFacets,
      outputFacets: z.strictObject({
        outputStatistics: z.strictObject({
          ...base,
          rowCount: count,
          size: count.optional(),
          fileCount: count,
        }),
      }),
    }),
  ),
});
