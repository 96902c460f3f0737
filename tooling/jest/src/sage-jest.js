#!/usr/bin/env node
// Runs jest on the package in the current folder: ES modules, types stripped, a JSON report for the requirements check.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const workspace = fileURLToPath(new URL('../../../', import.meta.url));
const { name } = JSON.parse(readFileSync('package.json', 'utf8'));
const reports = process.env.SAGE_TEST_RESULTS ?? join(workspace, '.cache', 'test-results');
mkdirSync(reports, { recursive: true });

const { status, signal } = spawnSync(
  process.execPath,
  [
    '--expose-gc',
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    require.resolve('jest/bin/jest'),
    '--config',
    fileURLToPath(new URL('./preset.cjs', import.meta.url)),
    '--rootDir',
    process.cwd(),
    '--json',
    '--outputFile',
    join(reports, `${name.replace(/[@/]/g, '_')}.json`),
    ...process.argv.slice(2),
  ],
  // jest prints its JSON on stdout as well when asked for a report; the readable form is on stderr.
  {
    stdio: ['inherit', 'ignore', 'inherit'],
    // Tests start hundreds of processes; each finds compiled what the one before it loaded.
    env: { NODE_COMPILE_CACHE: join(workspace, '.cache', 'compiled'), ...process.env },
  },
);
if (signal) process.kill(process.pid, signal);
process.exit(status ?? 1);
