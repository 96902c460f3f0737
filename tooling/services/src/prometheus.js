// A real Prometheus and a real Alertmanager for tests, and promtool.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { linkTemplates, withRelativeTemplates } from './alertmanager-binary.js';
import { withProgram } from './debian-program.js';
import { temporaryFolder } from './folders.js';
import { launch } from './launch.js';
import { freePort } from './ports.js';
import { startServer } from './server.js';

/**
 * @typedef {import('./index.d.ts').Program} Program
 * @typedef {import('./index.d.ts').Server} Server
 *
 * @typedef {object} MonitorPlan
 * @property {Readonly<Record<string, string>>} files By their paths from the folder in which it runs.
 * @property {(folder: string) => void} [prepare]
 * @property {(port: number) => readonly string[]} args
 */

/** Both say "prometheus, version 2.42.0+ds (branch: ...". */
const version = /version (\S+)/;

/** @type {typeof import('./index.d.ts').startPrometheus} */
export function startPrometheus({ config, files = {}, args = [] }) {
  return withProgram({ name: 'prometheus', package: 'prometheus', version }, (program) =>
    startProgram(program, {
      files: { ...files, 'prometheus.yml': config },
      args: (port) => [
        '--config.file=prometheus.yml',
        '--storage.tsdb.path=data',
        `--web.listen-address=127.0.0.1:${port}`,
        ...args,
      ],
    }),
  );
}

/** @type {typeof import('./index.d.ts').startAlertmanager} */
export function startAlertmanager({ config, args = [] }) {
  return withProgram(
    { name: 'prometheus-alertmanager', package: 'prometheus-alertmanager', version, fit: withRelativeTemplates },
    (program) =>
      startProgram(program, {
        files: { 'alertmanager.yml': config },
        prepare: (folder) => linkTemplates(program.path, folder),
        args: (port) => [
          '--config.file=alertmanager.yml',
          '--storage.path=data',
          `--web.listen-address=127.0.0.1:${port}`,
          // One of its kind, so it looks for no others.
          '--cluster.listen-address=',
          ...args,
        ],
      }),
  );
}

/** @type {typeof import('./index.d.ts').findPromtool} */
export function findPromtool() {
  return withProgram({ name: 'promtool', package: 'prometheus', version }, async (program) => program);
}

/** @type {(program: Program, plan: MonitorPlan) => Promise<Server>} */
async function startProgram({ path, env, version: found, from }, { files, prepare, args }) {
  const folder = temporaryFolder('monitor');
  prepare?.(folder.path);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true });
    writeFileSync(join(folder.path, name), text);
  }
  const logFile = join(folder.path, 'server.log');
  return startServer({
    version: found,
    from,
    logFile,
    pickPort: freePort,
    url: (port) => `http://127.0.0.1:${port}`,
    launch: (port) =>
      launch({ command: path, args: args(port), folder: folder.path, env, logFile, endSignal: 'SIGTERM' }),
    probe: isReady,
    remove: folder.remove,
  });
}

/** @type {(port: number) => Promise<boolean>} */
async function isReady(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/-/ready`, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status === 200;
  } catch {
    return false;
  }
}
