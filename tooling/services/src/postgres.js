// A real PostgreSQL for tests, on any machine that can get one.
import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startContainer } from './docker.js';
import { temporaryFolder, unprivilegedUser } from './folders.js';
import { freePort } from './ports.js';
import { installedBinaries, npmBinaries, readableBy } from './postgres-binaries.js';
import { run } from './commands.js';
import { launch } from './launch.js';
import { namedServer, startServer } from './server.js';
import { firstThatWorks } from './sources.js';

/**
 * @typedef {import('./index.d.ts').Server} Server
 * @typedef {Readonly<Record<string, string | number>>} Settings
 */

const image = 'postgres:18-alpine';
const initMs = 60_000;

/** @type {typeof import('./index.d.ts').startPostgres} */
export async function startPostgres({ settings = {}, fresh = false } = {}) {
  const named = fresh ? undefined : namedServer('POSTGRES_URL', 5432);
  if (named) return named;
  const all = { max_connections: 200, ...settings };
  return firstThatWorks({
    npm: () => startBinaries(npmBinaries(), all),
    path: () => startBinaries(installedBinaries(), all),
    docker: () => startInDocker(all),
  });
}

/** @type {(binaries: import('./postgres-binaries.js').Binaries, settings: Settings) => Promise<Server>} */
async function startBinaries(binaries, settings) {
  const owner = unprivilegedUser();
  const folder = temporaryFolder('postgres');
  if (owner) chownSync(folder.path, owner.uid, owner.gid);
  const data = join(folder.path, 'data');
  const logFile = join(folder.path, 'server.log');
  // A clean environment: PGPORT, PGDATA and their kind are for clients of the machine's own server.
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  try {
    const programs = await readableBy(owner, binaries.folder, folder.path);
    const version =
      /\(PostgreSQL\) (\S+)/.exec(await run(join(programs, 'postgres'), ['--version'], { env, owner }))?.[1] ?? '';
    await run(
      join(programs, 'initdb'),
      ['--pgdata', data, '--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync'],
      {
        env,
        owner,
        folder: folder.path,
        timeoutMs: initMs,
      },
    );
    return await startServer({
      version,
      from: binaries.from,
      logFile,
      pickPort: freePort,
      url: urlOf,
      launch: (port) =>
        launch({
          command: join(programs, 'postgres'),
          args: [
            '-D',
            data,
            ...asArgs({ ...settings, port, listen_addresses: '127.0.0.1', unix_socket_directories: '' }),
          ],
          folder: folder.path,
          env,
          logFile,
          // Disconnects its clients and ends; SIGTERM would wait for them to go.
          endSignal: 'SIGINT',
          ...(owner && { owner }),
        }),
      probe: async (_port, pid) => isReady(data, pid),
      remove: folder.remove,
    });
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/**
 * PostgreSQL writes its state into its pid file: the first line is the process, the eighth "ready" once it takes connections.
 * @type {(data: string, pid: number | undefined) => boolean}
 */
function isReady(data, pid) {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return lines[0] === `${pid}` && lines[7]?.trim() === 'ready';
  } catch {
    return false;
  }
}

/** @type {(settings: Settings) => Promise<Server>} */
function startInDocker(settings) {
  return startContainer({
    image,
    port: 5432,
    args: ['postgres', ...asArgs(settings)],
    env: ['POSTGRES_HOST_AUTH_METHOD=trust'],
    url: urlOf,
    // Over TCP: while the image prepares its data, a first server answers on the socket alone.
    probe: (_port, container) =>
      run('docker', ['exec', container, 'pg_isready', '--quiet', '--host=127.0.0.1']).then(
        () => true,
        () => false,
      ),
  });
}

/** @type {(settings: Settings) => string[]} */
function asArgs(settings) {
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** @type {(port: number) => string} */
function urlOf(port) {
  return `postgres://postgres@127.0.0.1:${port}/postgres`;
}
