/**
 * Asks an HTTP server at a fixed rate over kept connections, in a process of its own (`bench/predictions.mjs` starts it). A
 * request's time counts from when it was due, so neither a server that falls behind nor a client that does can hide it.
 * Light, so that it leaves the machine to the server: one set of bytes for all requests, one buffer for all answers.
 */
import { connect } from 'node:net';

const CONNECTIONS = 32;
const HEAD_END = Buffer.from('\r\n\r\n');
/** Timers of Node come a millisecond late; waiting on this between turns of its loop takes a tenth of that, and no processor. */
const clock = new Int32Array(new SharedArrayBuffer(4));
const TURN_MS = 0.1;

process.once('message', async ({ port, path = '/predict', body, rate, seconds, expected }) => {
  const request = Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const total = Math.round(rate * seconds);
  const took = new Float64Array(total);
  const lag = new Float64Array(total);
  /** The connection that is free the longest is asked next, so that none is closed for being idle. */
  const free = [];
  let [asked, answered, wrong, begun] = [0, 0, 0, 0];
  const dueAt = (index) => begun + (index * 1000) / rate;

  /** Sends what is due, as long as a connection is free. What waits for one is late by the server's doing. */
  const send = (now) => {
    for (; asked < total && free.length > 0 && dueAt(asked) <= now; asked += 1) {
      const line = free.shift();
      line.due = dueAt(asked);
      lag[asked] = now - Math.max(line.due, line.freeAt);
      line.socket.write(request);
    }
  };
  const answer = (line, bytes) => {
    took[answered] = performance.now() - line.due;
    answered += 1;
    const text = bytes.latin1Slice();
    const said = Number(/"predictions?":(?:\[\{"prediction":|\[)?(-?[\d.e-]+)/.exec(text)?.[1]);
    if (!text.startsWith('HTTP/1.1 200') || !(Math.abs(said - expected) < 1e-6)) wrong += 1;
    line.freeAt = performance.now();
    free.push(line);
  };
  const lines = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(port, answer)));
  free.push(...lines);
  const before = process.cpuUsage();
  begun = performance.now();
  for (const line of lines) line.freeAt = begun;
  await new Promise((resolve) => {
    const turn = () => {
      const now = performance.now();
      send(now);
      if (answered >= total || now > begun + seconds * 1000 + 10_000) return resolve();
      Atomics.wait(clock, 0, 0, TURN_MS);
      setImmediate(turn);
    };
    turn();
  });
  const { user, system } = process.cpuUsage(before);
  for (const { socket } of lines) socket.destroy();
  const at = quantiles(took.subarray(0, answered));
  const lags = quantiles(lag.subarray(0, asked));
  const late = lag.subarray(0, asked).filter((ms) => ms > 2).length;
  process.send(
    {
      ...{
        asked,
        answered,
        wrong,
        late,
        cpu: (user + system) / 1e6,
        seconds: (performance.now() - begun) / 1000,
      },
      ...{ p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1), lagP50: lags(0.5), lagP99: lags(0.99) },
    },
    () => process.disconnect(),
  );
});

/** A connection that hands whole answers on. */
function open(port, answer) {
  return new Promise((resolve, reject) => {
    const line = { due: 0, freeAt: 0, socket: undefined };
    const buffer = Buffer.allocUnsafe(64 * 1024);
    let kept = null;
    line.socket = connect(
      {
        ...{ port, host: '127.0.0.1', noDelay: true },
        onread: {
          buffer,
          callback: (length) => {
            const bytes = kept
              ? Buffer.concat([kept, buffer.subarray(0, length)])
              : buffer.subarray(0, length);
            const head = bytes.indexOf(HEAD_END);
            const size = head === -1 ? NaN : lengthOf(bytes.latin1Slice(0, head));
            if (bytes.length >= head + 4 + size) {
              kept = null;
              answer(line, bytes);
            } else kept = Buffer.from(bytes);
            return true;
          },
        },
      },
      () => resolve(line),
    );
    line.socket.on('error', reject);
    line.socket.on('end', () =>
      process.send({ failed: 'the server closed a connection' }, () => process.exit(1)),
    );
  });
}

const lengthOf = (head) => Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? NaN);

function quantiles(values) {
  const sorted = Float64Array.from(values).sort();
  return (share) =>
    Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2));
}
