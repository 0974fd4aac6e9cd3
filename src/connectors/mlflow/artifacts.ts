/** Files of MLflow's runs, through the server's own proxy, so that nothing else needs to know where they are. */
import { DatalabError } from '../../contracts/errors.js';
import { request } from './request.js';

export function mlflowArtifacts(base: string) {
  const artifactUrl = (artifactUri: string, name: string): string => {
    const match = /^mlflow-artifacts:\/+(.*)$/.exec(artifactUri);
    if (!match)
      throw new DatalabError(
        'MLFLOW_REFUSED',
        `artifacts at ${artifactUri} are not served by MLflow: start it with --serve-artifacts`,
      );
    const path = `${match[1]}/${name}`.split('/').map(encodeURIComponent).join('/');
    return `${base}/api/2.0/mlflow-artifacts/artifacts/${path}`;
  };
  return {
    async putArtifact(artifactUri: string, name: string, bytes: Uint8Array | string): Promise<void> {
      await request(artifactUrl(artifactUri, name), {
        method: 'PUT',
        body: Buffer.from(bytes as Uint8Array),
      });
    },
    async getArtifact(artifactUri: string, name: string): Promise<Buffer> {
      const response = await request(artifactUrl(artifactUri, name), { method: 'GET' });
      return Buffer.from(await response.arrayBuffer());
    },
  };
}
