/**
 * Asks a model server at a fixed rate over kept connections, in a process of its own (`bench/ml.mjs` starts it). A request's time
 * counts from when it was due, so a server that falls behind cannot hide it.
 */
import { connect } from 'node:net';

const CONNECTIONS = 32;

process.once('message', async ({ port, body, rate, seconds, expected }) => {
  const request = Buffer.from(
    `POST /predict HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const took = [];
  let wrong = 0;
  let late = 0;
  const free = [];
  const due = [];
  const next = () => {
    while (free.length > 0 && due.length > 0) {
      const socket = free.pop();
      socket.due = due.shift();
      if (performance.now() - socket.due > 2) late += 1;
      socket.write(request);
    }
  };
  const sockets = await Promise.all(
    Array.from(
      { length: CONNECTIONS },
      () =>
        new Promise((resolve, reject) => {
          const socket = connect({ port, host: '127.0.0.1', noDelay: true }, () => resolve(socket));
          let text = '';
          socket.on('error', reject);
          socket.on('data', (bytes) => {
            text += bytes.toString('latin1');
            const head = text.indexOf('\r\n\r\n');
            if (head === -1) return;
            const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
            if (text.length < head + 4 + length) return;
            took.push(performance.now() - socket.due);
            const said = /"prediction":(-?[\d.e-]+)/.exec(text)?.[1];
            if (!text.startsWith('HTTP/1.1 200') || Math.abs(Number(said) - expected) > 1e-6) wrong += 1;
            text = '';
            free.push(socket);
            next();
          });
        }),
    ),
  );
  free.push(...sockets);
  const begun = performance.now();
  const total = rate * seconds;
  let asked = 0;
  await new Promise((resolve) => {
    // A timer comes about a millisecond late; turning round all the time would take a processor from the server.
    const turn = () => {
      const now = performance.now();
      for (; asked < total && begun + (asked * 1000) / rate <= now; asked += 1)
        due.push(begun + (asked * 1000) / rate);
      next();
      if (took.length >= total || now > begun + seconds * 1000 + 10_000) resolve();
      else setTimeout(turn, 1);
    };
    turn();
  });
  for (const socket of sockets) socket.destroy();
  took.sort((left, right) => left - right);
  const at = (share) =>
    Number((took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? NaN).toFixed(2));
  process.send(
    { asked, answered: took.length, wrong, late, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) },
    () => process.disconnect(),
  );
});
