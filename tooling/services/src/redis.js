// A real Redis for tests, on any machine that can get one.
import { existsSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDebianPackages } from './debian-packages.js';
import { startContainer } from './docker.js';
import { temporaryFolder } from './folders.js';
import { freePort } from './ports.js';
import { onPath, run } from './commands.js';
import { launch } from './launch.js';
import { redisCommand } from './resp.js';
import { namedServer, startServer } from './server.js';
import { firstThatWorks } from './sources.js';

/**
 * @typedef {import('./index.d.ts').Server} Server
 * @typedef {import('./index.d.ts').Skipped} Skipped
 *
 * @typedef {object} RedisProgram
 * @property {string} path
 * @property {Readonly<Record<string, string | undefined>>} env
 * @property {string} version
 * @property {string} from
 *
 * @typedef {object} OwnRedisOptions
 * @property {(folder: string) => readonly string[]} args
 * @property {() => Promise<number>} [pickPort]
 */

const image = 'redis:8-alpine';
/** Nothing is kept on disk; later arguments win, so a caller may ask for it. */
const volatile = ['--save', '', '--appendonly', 'no'];

/** @type {typeof import('./index.d.ts').startRedis} */
export async function startRedis({ args = [], fresh = false } = {}) {
  const named = fresh ? undefined : namedServer('REDIS_URL', 6379);
  if (named) return named;
  return startOwnRedis({ args: () => [...volatile, ...args] }, () => startInDocker(args));
}

/**
 * A redis-server process of our own.
 * @param {OwnRedisOptions} options
 * @param {() => Promise<Server>} [otherwise] Tried last, as the source "docker".
 * @returns {Promise<Server | Skipped>}
 */
export function startOwnRedis(options, otherwise) {
  return firstThatWorks({
    path: async () => startProgram(await programOnPath(), options),
    debian: async () => startProgram(await programFromDebian(), options),
    docker: otherwise,
  });
}

/** @type {(program: RedisProgram, options: OwnRedisOptions) => Promise<Server>} */
async function startProgram({ path, env, version, from }, { args, pickPort = freePort }) {
  const folder = temporaryFolder('redis');
  const logFile = join(folder.path, 'server.log');
  return startServer({
    version,
    from,
    logFile,
    pickPort,
    url: (port) => `redis://127.0.0.1:${port}`,
    launch: (port) =>
      launch({
        command: path,
        args: [...args(folder.path), '--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder.path],
        folder: folder.path,
        env,
        logFile,
        endSignal: 'SIGTERM',
      }),
    probe: answersAs,
    remove: folder.remove,
  });
}

/** @type {(port: number, pid: number | undefined) => Promise<boolean>} */
async function answersAs(port, pid) {
  try {
    const about = await redisCommand(port, 'INFO', 'server');
    return (await redisCommand(port, 'PING')) === 'PONG' && new RegExp(`^process_id:${pid}\r`, 'm').test(String(about));
  } catch {
    return false;
  }
}

/** @returns {Promise<RedisProgram>} */
async function programOnPath() {
  const path = onPath('redis-server') ?? onPath('valkey-server');
  if (!path) throw new Error('no redis-server on the PATH');
  return { path, env: process.env, version: await versionOf(path, process.env), from: path };
}

/** @returns {Promise<RedisProgram>} */
async function programFromDebian() {
  const pathIn = (/** @type {string} */ root) => join(root, 'usr', 'bin', 'redis-server');
  const { root, env } = await unpackDebianPackages(['redis-tools'], {
    works: async (cached) => (await versionOf(pathIn(cached.root), cached.env)) !== '',
  });
  const path = pathIn(root);
  // redis-tools holds the server under another name; the package redis-server adds no more than this link and a service.
  if (!existsSync(path)) linkOnce('redis-check-rdb', path);
  return { path, env, version: await versionOf(path, env), from: 'Debian packages' };
}

/** @type {(target: string, path: string) => void} */
function linkOnce(target, path) {
  try {
    symlinkSync(target, path);
  } catch (error) {
    // Another run may have made it meanwhile.
    if (!existsSync(path)) throw error;
  }
}

/** @type {(path: string, env: Readonly<Record<string, string | undefined>>) => Promise<string>} */
async function versionOf(path, env) {
  return /v=(\S+)/.exec(await run(path, ['--version'], { env }))?.[1] ?? '';
}

/** @type {(args: readonly string[]) => Promise<Server>} */
function startInDocker(args) {
  return startContainer({
    image,
    port: 6379,
    args: ['redis-server', '--protected-mode', 'no', ...volatile, ...args],
    url: (port) => `redis://127.0.0.1:${port}`,
    probe: async (port) => (await redisCommand(port, 'PING').catch(() => '')) === 'PONG',
  });
}
