/** The least that Node's own HTTP server takes: every body is read and parsed, every answer is the same bytes. */
import { createServer } from 'node:http';

const answer = Buffer.from(process.argv[2]);

createServer((request, reply) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    JSON.parse(Buffer.concat(parts).toString());
    reply.writeHead(200, {
      'content-type': 'application/json; charset=utf-8',
      'content-length': answer.length,
    });
    reply.end(answer);
  });
}).listen(0, '127.0.0.1', function listening() {
  process.stdout.write(`${this.address().port}\n`);
});
