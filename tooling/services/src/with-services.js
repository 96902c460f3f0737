#!/usr/bin/env node
// with-services COMMAND ARGS...: runs a command with a Redis and a PostgreSQL, and ends them with it.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { startPostgres } from './postgres.js';
import { onPath } from './commands.js';
import { within } from './launch.js';
import { descendants, killTree, signalAll } from './process-tree.js';
import { startRedis } from './redis.js';
import { formatSkipped, skippedVariable, urlVariables } from './service-url.js';
import { areRequired, messageOf } from './sources.js';

/**
 * @typedef {import('./index.d.ts').Server} Server
 * @typedef {import('./index.d.ts').Skipped} Skipped
 * @typedef {import('./index.d.ts').ServiceName} ServiceName
 */

/** The terminal signals the whole process group; a command that runs on after this was not in it and is told by us. */
const passOnMs = 500;
/** How long a command may take to end once it was told. */
const commandEndMs = 10_000;
const endSignals = /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']);

/** The servers of a run lose their data with it, so nothing waits for a disk. @type {[ServiceName, () => Promise<Server | Skipped>][]} */
const starters = [
  ['redis', () => startRedis()],
  ['postgres', () => startPostgres({ settings: { fsync: 'off', full_page_writes: 'off' } })],
];

/** @type {Server[]} */
const servers = [];
/** @type {import('node:child_process').ChildProcess | undefined} */
let command;
/** @type {Promise<never> | undefined} */
let ending;

await main(process.argv.slice(2));

/** @type {(words: string[]) => Promise<never>} */
async function main([program, ...args]) {
  if (program === undefined) {
    console.error('Usage: with-services COMMAND ARGS...');
    process.exit(2);
  }
  for (const signal of endSignals) process.on(signal, () => void end(128 + constants.signals[signal], signal));
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    process.on(event, (error) => {
      console.error(error);
      void end(1, 'SIGTERM');
    });
  }
  // Whoever read our output may have gone; that is no reason to leave servers behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

  const env = await bringUp();
  return end(env ? await runCommand(program, args, env) : 1);
}

/** @returns {Promise<NodeJS.ProcessEnv | undefined>} The environment of the command; none when a required service is missing. */
async function bringUp() {
  const env = { ...process.env };
  /** @type {Map<ServiceName, string>} */
  const reasons = new Map();
  const bring = async (/** @type {(typeof starters)[number]} */ [name, start]) => {
    const result = await start();
    if (ending) return;
    if ('skipped' in result) {
      reasons.set(name, result.skipped);
      console.error(`${name} skipped: ${result.skipped}`);
      return;
    }
    servers.push(result);
    env[urlVariables[name]] = result.url;
    console.error(
      [name, result.version, 'from', result.from, 'at', withoutPassword(result.url)].filter(Boolean).join(' '),
    );
  };
  await Promise.all(starters.map(bring));
  if (reasons.size === 0) return env;
  if (areRequired()) {
    console.error(`${[...reasons.keys()].join(' and ')} required (SAGE_REQUIRE_SERVICES=1 or CI=true) but skipped`);
    return undefined;
  }
  return { ...env, [skippedVariable]: formatSkipped(reasons) };
}

/** @type {(program: string, args: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>} */
function runCommand(program, args, env) {
  return new Promise((resolve) => {
    if (ending) return;
    command = spawn(program, args, { stdio: 'inherit', env });
    command.once('error', (error) => {
      console.error(`with-services: ${messageOf(error)}`);
      resolve(onPath(program) === undefined ? 127 : 126);
    });
    command.once('exit', (code, signal) => resolve(signal ? 128 + constants.signals[signal] : (code ?? 1)));
  });
}

/**
 * Ends everything and then this process. Only the first call counts.
 * @param {number} code
 * @param {NodeJS.Signals} [signal] Passed on to the command, if it still runs.
 * @returns {Promise<never>}
 */
function end(code, signal) {
  ending ??= (async () => {
    if (signal) await endCommand(signal);
    await Promise.allSettled(servers.map((server) => server.stop()));
    return process.exit(code);
  })();
  return ending;
}

/** @type {(signal: NodeJS.Signals) => Promise<void>} */
async function endCommand(signal) {
  const running = command;
  if (running?.pid === undefined || running.exitCode !== null || running.signalCode !== null) return;
  const { pid } = running;
  /** @type {Promise<void>} */
  const exited = new Promise((resolve) => running.once('exit', () => resolve()));
  if (await within(exited, passOnMs)) return;
  // To all below it as well: a launcher that only waits for its child does not pass a signal on.
  signalAll([...descendants(pid), pid], signal);
  if (!(await within(exited, commandEndMs))) killTree(pid);
}

/** @type {(url: string) => string} */
function withoutPassword(url) {
  const shown = new URL(url);
  if (shown.password !== '') shown.password = '***';
  return shown.href;
}
