/** The model server: `datalab model-server` composes it of the configuration and runs it. */
export { composeModelServer, nativePredict, type ModelServerDeps } from './deps.js';
export { startModelServer, type RunningModelServer } from './server.js';
