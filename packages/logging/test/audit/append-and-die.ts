/** Appends records to the folder of the argument and ends in the way that is named, or goes on until it is killed. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const [folder = '', way = ''] = process.argv.slice(2);
const diesBefore = /^SIGKILL before (\w+) (\d+)$/.exec(way);
if (diesBefore !== null) {
  // The process is killed in place of one of its calls of the system.
  const [, name = '', count] = diesBefore;
  const system = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const call = system[name];
  let calls = 0;
  system[name] = (...args) => (++calls === Number(count) ? process.kill(process.pid, 'SIGKILL') : call?.(...args));
  syncBuiltinESMExports();
}
const { openAuditLog } = await import('../../src/audit/index.ts');
const goesOn = way === 'goes on';
const log = openAuditLog({ folder, durable: diesBefore !== null, ...(goesOn && { maxBytes: 20_000 }) });
const append = (count: number): void => {
  for (let n = 0; n < count; n++) log.append({ event: 'data.access', details: { n } });
};
if (goesOn) setInterval(() => append(3), 1);
else {
  append(50);
  if (way === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
  log.close();
}
