/** The S3 gateway on a folder. It keeps metadata in extended attributes, or beside the data where there are none. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { createBucket, probeS3, type S3Access } from '../probes/s3.js';
import { HOST, type Settings } from '../settings.js';
import { locateProgram } from '../tools.js';
import type { ServiceDefinition } from './definition.js';

const objectsFolder = (settings: Settings): string => path.join(settings.stateDir, 'data', 's3');
/** Exists only where the file system has no extended attributes. The gateway refuses names that begin like its root's. */
const sidecarFolder = (settings: Settings): string => path.join(settings.stateDir, 'data', 'metadata-of-s3');

/** How to reach the gateway of these settings. */
export function s3Access(settings: Settings): S3Access {
  return {
    endpoint: `http://${HOST}:${settings.ports.s3}`,
    region: settings.env['AWS_REGION'] ?? 'us-east-1',
    accessKeyId: settings.env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey: settings.env['AWS_SECRET_ACCESS_KEY'] ?? '',
    bucket: settings.bucket,
  };
}

export const s3Service: ServiceDefinition = {
  name: 's3',
  title: 'S3 gateway',
  required: true,
  ports: ['s3'],
  needs: [],
  startSeconds: 30,
  stopSeconds: 10,
  command: (settings) => {
    const sidecar = sidecarFolder(settings);
    return {
      file: locateProgram('versitygw', settings),
      args: [
        ...[
          '--port',
          `${HOST}:${settings.ports.s3}`,
          '--region',
          s3Access(settings).region,
          '--quiet',
          'posix',
        ],
        ...(existsSync(sidecar) ? ['--sidecar', sidecar] : []),
        objectsFolder(settings),
      ],
      env: {
        ...settings.processEnv,
        ROOT_ACCESS_KEY_ID: s3Access(settings).accessKeyId,
        ROOT_SECRET_ACCESS_KEY: s3Access(settings).secretAccessKey,
      },
    };
  },
  prepare: async (settings) => {
    mkdirSync(objectsFolder(settings), { recursive: true });
  },
  probe: (settings) => probeS3(s3Access(settings)),
  furnish: (settings) => createBucket(s3Access(settings)),
  recover: (settings, log) => {
    if (!/xattr/i.test(log) || existsSync(sidecarFolder(settings))) return false;
    mkdirSync(sidecarFolder(settings), { recursive: true });
    return true;
  },
};
