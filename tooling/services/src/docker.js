// A server in a container, the last resort.
import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { temporaryFolder } from './folders.js';
import { freePort } from './ports.js';
import { atExit } from './at-exit.js';
import { onPath, run } from './commands.js';
import { launch } from './launch.js';
import { startServer } from './server.js';

/**
 * @typedef {object} ContainerPlan
 * @property {string} image
 * @property {number} port The one it listens on inside.
 * @property {readonly string[]} args The command and its arguments.
 * @property {readonly string[]} [env] As in `NAME=value`.
 * @property {(port: number) => string} url
 * @property {(port: number, container: string) => Promise<boolean>} probe
 */

/** Long enough to pull an image. */
const createMs = 300_000;

/**
 * Starts a container whose port is published on loopback.
 * @param {ContainerPlan} plan
 * @returns {Promise<import('./index.d.ts').Server>}
 */
export async function startContainer({ image, port: innerPort, args, env = [], url, probe }) {
  if (!onPath('docker')) throw new Error('no docker');
  await run('docker', ['info'], { timeoutMs: 10_000 });
  const container = `sage-${randomUUID()}`;
  const outerPort = await freePort();
  const folder = temporaryFolder('docker');
  const logFile = join(folder.path, 'server.log');
  const removeArgs = ['rm', '--force', '--volumes', container];
  const forget = atExit(() => spawnSync('docker', removeArgs, { stdio: 'ignore', timeout: 5_000 }));
  const remove = async () => {
    await run('docker', removeArgs);
    forget();
    folder.remove();
  };
  const options = [
    '--name',
    container,
    '--publish',
    `127.0.0.1:${outerPort}:${innerPort}`,
    ...env.flatMap((pair) => ['--env', pair]),
  ];
  await run('docker', ['create', ...options, image, ...args], { timeoutMs: createMs });

  return startServer({
    version: image.slice(image.indexOf(':') + 1),
    from: `docker ${image}`,
    logFile,
    pickPort: async () => outerPort,
    url,
    launch: () => {
      // The client that is attached passes on SIGTERM and lives as long as the container.
      const client = launch({
        command: 'docker',
        args: ['start', '--attach', container],
        folder: folder.path,
        env: process.env,
        logFile,
        endSignal: 'SIGTERM',
      });
      const tell = async (/** @type {string} */ verb) => {
        if (client.alive) await run('docker', [verb, container]);
      };
      return {
        pid: undefined,
        get alive() {
          return client.alive;
        },
        pause: () => tell('pause'),
        resume: () => tell('unpause'),
        kill: async () => {
          await tell('kill').catch(() => {});
          await client.kill();
        },
        end: async () => {
          await tell('unpause').catch(() => {});
          await tell('stop');
          await client.end();
        },
      };
    },
    probe: (port) => probe(port, container),
    remove,
  });
}
