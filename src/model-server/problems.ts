/** Errors as answers: the code, the message and what to do. */
import type { FastifyError, FastifyInstance } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { DatalabError, type ErrorCode } from '../contracts/errors.js';
import { DeltaError } from '../delta/index.js';

const STATUS: Partial<Record<ErrorCode, number>> = {
  INPUT_INVALID: 400,
  MODEL_NOT_SERVED: 404,
  MODEL_VERSION_UNKNOWN: 404,
  PREDICTION_KEY_UNKNOWN: 404,
  PREDICTION_FEATURE_MISSING: 422,
  MODEL_PARITY: 422,
  MODEL_UNREADABLE: 422,
  MLFLOW_UNAVAILABLE: 503,
  STORE_UNAVAILABLE: 503,
  MODEL_TABLE_MISSING: 503,
};

export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const { status, ...problem } = problemOf(error);
    if (status >= 500) log.error({ err: error, url: request.routeOptions.url }, 'a request failed');
    return reply.status(status).send(problem);
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(404).send({
      ...{ code: 'NOT_FOUND', message: `there is no ${request.method} ${request.url.split('?')[0]}` },
      remedy: 'GET /openapi.json says what there is.',
    }),
  );
}

function problemOf(error: FastifyError | Error): {
  status: number;
  code: string;
  message: string;
  remedy: string;
} {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const said = error.validation.map(({ instancePath, message }) =>
      [instancePath.slice(1).replaceAll('/', '.'), message ?? ''].filter(Boolean).join(': '),
    );
    return invalid(400, said.slice(0, 5).join('; '));
  }
  if (error instanceof DatalabError || error instanceof DeltaError) {
    const status = STATUS[error.code as ErrorCode] ?? 500;
    return { status, code: error.code, message: error.message.slice(0, 4000), remedy: error.remedy };
  }
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  if (status < 500) return invalid(status, error.message);
  const message = 'the model server failed; its log says why';
  return { status: 500, code: 'UNEXPECTED', message, remedy: './manage.sh logs model-server' };
}

const invalid = (status: number, message: string) => ({
  ...{ status, code: 'INPUT_INVALID', message },
  remedy: 'GET /openapi.json has the shape of a request; GET /models the features of a model.',
});
