/** Errors as answers: the code, the message and what to do; never a stack, never what a service said about secrets. */
import type { FastifyError } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { Logger } from 'pino';
import { DatalabError } from '../../contracts/errors.js';
import { DeltaError } from '../../delta/index.js';
import { Refusal } from './access.js';
import type { App } from './server.js';

/** Body of every answer that is no success. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
}

export function answerErrors(app: App, log: Logger): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const [status, problem] = problemOf(error);
    if (status >= 500) log.error({ err: error, url: request.routeOptions.url }, 'a request failed');
    return reply.status(status).send(problem);
  });
}

function problemOf(error: FastifyError | Error): [number, Problem] {
  if (hasZodFastifySchemaValidationErrors(error)) {
    const said = error.validation.map(
      ({ instancePath, message }) => `${instancePath.slice(1)}: ${message ?? ''}`,
    );
    return [400, { code: 'INPUT_INVALID', message: said.join('; '), remedy: '' }];
  }
  if (error instanceof DatalabError || error instanceof DeltaError)
    return [
      statusOf(error),
      { code: error.code, message: error.message.slice(0, 4000), remedy: error.remedy },
    ];
  const status = 'statusCode' in error ? (error.statusCode ?? 500) : 500;
  if (status < 500) return [status, { code: 'INPUT_INVALID', message: error.message, remedy: '' }];
  // gRPC's own: the server is away, or late.
  if (/UNAVAILABLE|DEADLINE_EXCEEDED|ECONNREFUSED/.test(`${error.message} ${String((error as Error).cause)}`))
    return [
      503,
      {
        code: 'UNAVAILABLE',
        message: 'a service did not answer',
        remedy: 'See the page Services, or ./manage.sh health.',
      },
    ];
  return [
    500,
    {
      code: 'UNEXPECTED',
      message: 'the dashboard failed; its log says why',
      remedy: './manage.sh logs dashboard',
    },
  ];
}

function statusOf(error: DatalabError | DeltaError): number {
  if (error instanceof Refusal) return error.status;
  if (/_(UNKNOWN|MISSING|NOT_FOUND)$/.test(error.code)) return 404;
  if (/^(FLOWS_IDLE|TEMPORAL_UNAVAILABLE)$/.test(error.code)) return 503;
  return /^(INPUT|ENGINE|DATASET|ALERT|BACKFILL|CONFIG|ACCESS)_/.test(error.code) ? 400 : 500;
}
