/** The SourceReader: files of this machine and objects in S3, told apart by the location. */
import type { SourceObject, SourceReader } from '../../contracts/sources.js';
import { createS3Client, type S3Options } from '../object-store/index.js';
import { downloadLocal, listLocal } from './local.js';
import { downloadS3, listS3 } from './s3.js';

export interface SourcesOptions {
  /** What relative locations start from. */
  readonly projectDirectory: string;
  readonly s3?: S3Options;
}

/** Makes the reader. S3 is not contacted before it is asked for. */
export function openSources({ projectDirectory, s3 }: SourcesOptions): SourceReader {
  let client: ReturnType<typeof createS3Client> | undefined;
  const s3Client = (): ReturnType<typeof createS3Client> => (client ??= createS3Client(s3 ?? {}));
  const isS3 = (location: string): boolean => location.startsWith('s3://');
  return {
    list: (location, options) =>
      isS3(location)
        ? listS3(s3Client(), location, options?.signal)
        : listLocal(location, projectDirectory, options?.signal),
    download: (source: SourceObject, directory, options) =>
      isS3(source.path)
        ? downloadS3(s3Client(), source, directory, options?.signal)
        : downloadLocal(source, options?.signal),
  };
}
