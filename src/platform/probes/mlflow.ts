/** Asks an MLflow server over HTTP. */
const TIMEOUT_MS = 3000;

/** Its health and version. Throws when it does not answer that it is well. */
export async function probeMlflow(address: string): Promise<string> {
  const health = await ask(`${address}/health`);
  if (health !== 'OK') throw new Error(`${address}/health answered '${health.slice(0, 80)}' instead of OK`);
  return `version ${await ask(`${address}/version`)}`;
}

async function ask(url: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    // `fetch failed` says nothing; the reason is in the cause.
    const { cause, message } = error as Error;
    throw cause instanceof Error && cause.message ? cause : new Error(message);
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (await response.text()).trim();
}
