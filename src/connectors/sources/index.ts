/** The SourceReader: files here, objects in S3, files behind an address and topics in Kafka, told apart by the location. */
import { DatalabError } from '../../contracts/errors.js';
import type { SourceReader } from '../../contracts/sources.js';
import { createS3Client, type S3Options } from '../object-store/index.js';
import { downloadKafka, listKafka, type KafkaSourceOptions } from './kafka.js';
import { downloadHttp, listHttp } from './http.js';
import { downloadLocal, listLocal } from './local.js';
import { downloadS3, listS3 } from './s3.js';

export interface SourcesOptions {
  /** What relative locations start from. */
  readonly projectDirectory: string;
  readonly s3?: S3Options;
  /** Absent where Kafka is switched off. */
  readonly kafka?: KafkaSourceOptions;
}

/** Makes the reader. Nothing is contacted before it is asked for. */
export function openSources({ projectDirectory, s3, kafka }: SourcesOptions): SourceReader {
  let client: ReturnType<typeof createS3Client> | undefined;
  const s3Client = (): ReturnType<typeof createS3Client> => (client ??= createS3Client(s3 ?? {}));
  const broker = (): KafkaSourceOptions => {
    if (kafka) return kafka;
    throw new DatalabError('CONFIG_INVALID', 'kafka.enabled is false, and a source is a Kafka topic');
  };
  const local: SourceReader = {
    list: (location, options) => listLocal(location, projectDirectory, options?.signal),
    download: (source, _directory, options) => downloadLocal(source, options),
  };
  const http: SourceReader = {
    list: (location, options) => listHttp({}, location, options?.signal),
    download: (source, directory, options) => downloadHttp({}, source, directory, options),
  };
  const byScheme: Readonly<Record<string, SourceReader>> = {
    s3: {
      list: (location, options) => listS3(s3Client(), location, options?.signal),
      download: (source, directory, options) => downloadS3(s3Client(), source, directory, options),
    },
    http,
    https: http,
    kafka: {
      list: async (location) => listKafka(broker(), location),
      download: async (source, directory, options) =>
        downloadKafka(broker(), source, directory, options?.signal),
    },
  };
  const readerOf = (location: string): SourceReader =>
    byScheme[/^([a-z0-9]+):\/\//.exec(location)?.[1] ?? ''] ?? local;
  return {
    list: (location, options) => readerOf(location).list(location, options),
    download: (source, directory, options) => readerOf(source.path).download(source, directory, options),
  };
}
