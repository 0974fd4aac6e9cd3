/** Work that nobody waits for any more is ended. */
import type { FastifyReply } from 'fastify';

/** Aborts when the caller goes away, or after so many seconds. */
export function goneSignal(reply: FastifyReply, secondsMax: number): AbortSignal {
  const gone = new AbortController();
  reply.raw.on('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the caller went away'));
  });
  return AbortSignal.any([gone.signal, AbortSignal.timeout(secondsMax * 1000)]);
}
