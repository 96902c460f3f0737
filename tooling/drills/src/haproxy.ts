import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { UnpackedPackages } from '@tooling/services';

export interface Backend {
  readonly name: string;
  readonly port: number;
  readonly healthPort: number;
}

export interface HaproxyOptions {
  readonly haproxy: UnpackedPackages;
  readonly port: number;
  readonly backends: readonly Backend[];
  /** For its configuration. */
  readonly folder: string;
}

/** Starts HAProxy before the backends: it asks each for its readiness every 100 ms, and tries nothing twice but connecting. */
export async function startHaproxy({ haproxy, port, backends, folder }: HaproxyOptions): Promise<AsyncDisposable> {
  const file = join(folder, 'haproxy.cfg');
  await writeFile(file, configOf(port, backends));
  const child = spawn('haproxy', ['-db', '-f', file], { env: haproxy.env, stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  const ended = once(child, 'close');
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`HAProxy ended with ${child.exitCode}: ${complaints}`);
    await delay(50);
  }
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

// The request header x-drill-agent names the backend that a stream wants to be on. Small buffers, so that a slow reader holds the agent back.
function configOf(port: number, backends: readonly Backend[]): string {
  const servers = backends.map(
    ({ name, port: at, healthPort }) =>
      `  use-server ${name} if { req.hdr(x-drill-agent) ${name} }\n  server ${name} 127.0.0.1:${at} check port ${healthPort} inter 100ms fall 1 rise 1`,
  );
  return `global
  tune.rcvbuf.server 16384
  tune.sndbuf.client 16384
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option redispatch
frontend entrance
  bind 127.0.0.1:${port}
  default_backend agents
backend agents
  balance roundrobin
  option httpchk GET /health/ready
  http-check expect status 200
${servers.join('\n')}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
