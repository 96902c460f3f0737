/** What the fetch of Node throws, from real sockets on this machine. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:tls';
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { caught, type Origin, type Recorded } from '../origin.ts';
import { certificate } from './certificate.ts';

export const fetchOrigin: Origin = {
  name: 'fetch',
  from: `Node.js ${process.versions.node}, undici ${process.versions['undici'] ?? ''}`,
  async record() {
    const answering = createServer((request, response) => {
      if (request.url === '/hang-up') request.socket.destroy();
      else if (request.url === '/reset') request.socket.resetAndDestroy();
      else if (request.url === '/garbage') request.socket.end('not HTTP at all\r\n\r\n');
      else if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': '100' }).write('half');
        setTimeout(() => request.socket.destroy(), 20);
      } else if (request.url === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else response.write('never ends');
    });
    const url = await listening(answering);
    const secret = certificate();
    const tls = createTlsServer(secret, (socket) => socket.end());
    const tlsUrl = (await listening(tls)).replace('http:', 'https:');
    const gone = createTcpServer();
    const goneUrl = await listening(gone);
    gone.close();
    const controller = new AbortController();
    const recorded: Recorded[] = [
      await caught('connection refused', () => fetch(goneUrl)),
      await caught('connection closed before the answer', () => fetch(`${url}/hang-up`)),
      await caught('connection reset before the answer', () => fetch(`${url}/reset`)),
      await caught('answer that is not HTTP', () => fetch(`${url}/garbage`)),
      await caught('body cut', async () => (await fetch(`${url}/cut`)).text()),
      await caught('redirected for ever', () => fetch(`${url}/loop`)),
      await caught('host does not exist', () => fetch('http://no-such-host.invalid/')),
      await caught('blocked port', () => fetch('http://127.0.0.1:1/')),
      await caught('no URL', () => fetch('not a url')),
      await caught('unknown scheme', () => fetch('ftp://127.0.0.1/')),
      await caught('certificate signed by itself', () => fetch(tlsUrl)),
      await caught('TLS spoken to a plain port', () => fetch(url.replace('http:', 'https:'))),
      await caught('AbortSignal.timeout', () => fetch(url, { signal: AbortSignal.timeout(20) }).then((r) => r.text())),
      await caught('aborted by the caller', () => {
        setTimeout(() => controller.abort(), 10);
        return fetch(url, { signal: controller.signal }).then((response) => response.text());
      }),
      await caught('aborted before it began', () => fetch(url, { signal: AbortSignal.abort() })),
    ];
    answering.closeAllConnections();
    answering.close();
    tls.close();
    return recorded;
  },
};

async function listening(server: Server | TcpServer): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
