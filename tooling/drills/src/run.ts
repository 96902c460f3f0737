/** The long form of the drill: prints what happened, writes docs/results/rolling-restart.json, and fails where anything failed. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { unpackDebianPackages } from '@tooling/services';
import { rollingRestart } from './rolling-restart.ts';

const result = await rollingRestart({
  haproxy: await unpackDebianPackages(['haproxy']),
  posts: 30_000,
  restarts: 10,
  clients: 16,
  drainDelaySeconds: 1,
});
const passed =
  result.failedPosts === 0 && result.brokenStreams.length === 0 && result.exitCodes.every((code) => code === 0);
const record = {
  topic: 'Rolling restart of three agents behind HAProxy',
  date: new Date().toISOString(),
  node: process.version,
  passed,
  ...result,
};
const text = `${JSON.stringify(record, undefined, 2)}\n`;
const folder = new URL('../../../docs/results/', import.meta.url);
mkdirSync(folder, { recursive: true });
writeFileSync(new URL('rolling-restart.json', folder), text);
process.stdout.write(text);
process.exitCode = passed ? 0 : 1;
