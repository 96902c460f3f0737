#!/usr/bin/env node
/** `sage-dlq`: looks into a dead-letter store, redrives and purges it. */
import process, { argv, env, stderr, stdout } from 'node:process';
import { run } from './run.ts';

// Who reads, such as `head`, may have had enough.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') stderr.write(`sage-dlq: ${error.message}\n`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});

process.exitCode = await run(argv.slice(2), {
  environment: env,
  out: (text) => void stdout.write(text),
  fail: (text) => void stderr.write(text),
});
