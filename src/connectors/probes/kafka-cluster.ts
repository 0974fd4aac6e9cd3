/**
 * What a Kafka cluster says of itself: brokers, topics with their partitions, and whether its controller works. Asked in the
 * protocol itself, since kafkajs answers nothing at all as soon as one partition of one topic has no leader, which is what
 * has to be seen here; and in KRaft mode brokers name any of them as controller, so that only a request that goes to the
 * controller shows whether there is one.
 */
import { connect, type Socket } from 'node:net';

export interface Partition {
  readonly partition: number;
  /** Broker id; negative: none, the partition is offline. */
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface Cluster {
  readonly brokers: number;
  /** Without those of Kafka's own. */
  readonly topics: ReadonlyArray<{ readonly name: string; readonly partitions: readonly Partition[] }>;
  /** Whether the controller answered; false where it did not in time. */
  readonly controller: boolean;
}

export interface ClusterAddress {
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly timeoutMs: number;
}

/** The first broker that answers is asked. Throws why the last one did not. */
export async function describeCluster(address: ClusterAddress): Promise<Cluster> {
  let reason: unknown = new Error('no broker is configured');
  for (const broker of address.brokers) {
    try {
      return await askBroker(broker, address);
    } catch (error) {
      reason = error;
    }
  }
  throw reason;
}

const METADATA = { key: 3, version: 1 } as const;
const CREATE_TOPICS = { key: 19, version: 4 } as const;
/** Nothing is made: the request is only validated, by the controller. */
const PROBE_TOPIC = 'datalab-controller-probe';
const REQUEST_TIMED_OUT = 7;
/** The controller is asked for less than the whole time, so that the rest of the answer is not lost with it. */
const CONTROLLER_SHARE = 0.6;

async function askBroker(broker: string, { clientId, timeoutMs }: ClusterAddress): Promise<Cluster> {
  const connection = await Wire.open(broker, clientId, timeoutMs);
  try {
    // All topics are asked for by a list of length -1.
    const metadata = readMetadata(await connection.ask(METADATA, int32(-1)));
    const waitMs = Math.floor(timeoutMs * CONTROLLER_SHARE);
    const validated = await connection.ask(CREATE_TOPICS, creation(waitMs), waitMs).catch(() => null);
    return {
      ...metadata,
      controller: validated !== null && errorOfCreation(validated) !== REQUEST_TIMED_OUT,
    };
  } finally {
    connection.close();
  }
}

function readMetadata(body: Reader): Pick<Cluster, 'brokers' | 'topics'> {
  const brokers = body.array(() => {
    body.int32();
    body.string();
    body.int32();
    body.string();
  });
  body.int32();
  const topics = body.array(() => {
    body.int16();
    const name = body.string();
    const isInternal = body.int8() === 1;
    const partitions = body.array((): Partition => {
      body.int16();
      const [partition, leader] = [body.int32(), body.int32()];
      const [replicas, inSync] = [body.array(() => body.int32()), body.array(() => body.int32())];
      return { partition, leader, replicas, inSync };
    });
    return { name, isInternal, partitions };
  });
  return {
    brokers: brokers.length,
    topics: topics
      .filter(({ name, isInternal }) => !isInternal && !name.startsWith('__'))
      .map(({ name, partitions }) => ({ name, partitions })),
  };
}

/** One topic with one partition and replica, no assignments, no settings; how long to wait; validate only. */
function creation(waitMs: number): Buffer {
  const topic = Buffer.concat([string(PROBE_TOPIC), int32(1), int16(1), int32(0), int32(0)]);
  return Buffer.concat([int32(1), topic, int32(waitMs), Buffer.from([1])]);
}

function errorOfCreation(body: Reader): number {
  body.int32();
  const [error = 0] = body.array(() => {
    body.string();
    const code = body.int16();
    body.string();
    return code;
  });
  return error;
}

/** One connection, one request at a time. */
class Wire {
  private correlation = 0;
  private received = Buffer.alloc(0);
  private constructor(
    private readonly socket: Socket,
    private readonly clientId: string,
    private readonly timeoutMs: number,
  ) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk]);
      socket.emit('bytes');
    });
  }

  static async open(broker: string, clientId: string, timeoutMs: number): Promise<Wire> {
    const at = broker.lastIndexOf(':');
    const socket = connect({
      host: broker.slice(0, at).replace(/^\[|\]$/g, ''),
      port: Number(broker.slice(at + 1)),
    });
    const wire = new Wire(socket, clientId, timeoutMs);
    await wire.until(timeoutMs, 'connect', () => !socket.connecting && !socket.destroyed);
    return wire;
  }

  close(): void {
    this.socket.destroy();
  }

  async ask(
    { key, version }: { readonly key: number; readonly version: number },
    body: Buffer,
    timeoutMs = this.timeoutMs,
  ): Promise<Reader> {
    const id = ++this.correlation;
    const request = Buffer.concat([int16(key), int16(version), int32(id), string(this.clientId), body]);
    this.socket.write(Buffer.concat([int32(request.length), request]));
    // What comes late of an earlier question is passed over.
    for (;;) {
      await this.until(timeoutMs, 'bytes', () => this.hasAnswer());
      const end = 4 + this.received.readInt32BE(0);
      const answer = new Reader(this.received.subarray(4, end));
      this.received = this.received.subarray(end);
      if (answer.int32() === id) return answer;
    }
  }

  private hasAnswer(): boolean {
    return this.received.length >= 4 && this.received.length >= 4 + this.received.readInt32BE(0);
  }

  /** Throws the socket's own error, or that the time is over. */
  private until(timeoutMs: number, event: string, done: () => boolean): Promise<void> {
    if (done()) return Promise.resolve();
    const { socket } = this;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => end(new Error(`the broker did not answer within ${timeoutMs} ms`)),
        timeoutMs,
      );
      const end = (error?: Error): void => {
        clearTimeout(timer);
        socket.off(event, look).off('error', end).off('close', closed);
        if (error) {
          // Nobody listens any more, and an error that nobody hears would end the process.
          socket.on('error', () => undefined);
          socket.destroy();
          reject(error);
        } else resolve();
      };
      const look = (): void => {
        if (done()) end();
      };
      const closed = (): void => end(new Error('the broker closed the connection'));
      socket.on(event, look).on('error', end).on('close', closed);
    });
  }
}

/** Kafka's classic encoding, read from the beginning on. Throws RangeError where an answer is cut off. */
class Reader {
  private at = 0;
  constructor(private readonly bytes: Buffer) {}

  int8(): number {
    return this.bytes.readInt8((this.at += 1) - 1);
  }
  int16(): number {
    return this.bytes.readInt16BE((this.at += 2) - 2);
  }
  int32(): number {
    return this.bytes.readInt32BE((this.at += 4) - 4);
  }
  /** A null one is empty. */
  string(): string {
    const length = Math.max(0, this.int16());
    return this.bytes.toString('utf8', this.at, (this.at += length));
  }
  array<Item>(item: () => Item): Item[] {
    return Array.from({ length: Math.max(0, this.int32()) }, item);
  }
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([int16(bytes.length), bytes]);
}
