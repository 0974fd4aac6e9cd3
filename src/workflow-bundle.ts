/**
 * Bundles the compiled workflows into `dist/workflow-bundle.cjs`, once at build time, so that workers start with the
 * very code that the tests replayed and do not each spend seconds on bundling.
 */
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

export const WORKFLOW_BUNDLE_PATH = fileURLToPath(new URL('./workflow-bundle.cjs', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows/index.js', import.meta.url)),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: console.warn, error: console.error },
  });
  await writeFile(WORKFLOW_BUNDLE_PATH, code);
}
