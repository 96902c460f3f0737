/** Run by itself, for the dispatcher of `fetch` is in the realm of the process and not in that of a test: prints what it says before, during and after two requests. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fetchConnections } from '../../src/pools/index.ts';

const held: ServerResponse[] = [];
const server = createServer((_, response) => {
  held.push(response);
  server.emit('held');
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;

const read = fetchConnections();
const before = read();
const answers = [fetch(url), fetch(url)];
while (held.length < 2) await once(server, 'held');
const during = read();
for (const response of held) response.end('ok');
for (const answer of await Promise.all(answers)) await answer.text();
const { active: after } = read();
console.log(JSON.stringify({ before, during, after }));
server.closeAllConnections();
server.close();
