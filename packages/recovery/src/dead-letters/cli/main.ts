#!/usr/bin/env node
/** `sage-dlq`: looks into a dead-letter store, redrives and purges it. */
import process, { argv, env, stderr, stdout } from 'node:process';
import { run } from './run.ts';

process.exitCode = await run(argv.slice(2), {
  environment: env,
  out: (text) => void stdout.write(text),
  fail: (text) => void stderr.write(text),
});
