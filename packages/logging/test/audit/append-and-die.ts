/** Appends records to the folder of the argument, tells each on standard output, and ends in the way that is named. */
import { openAuditLog } from '../../src/audit/index.ts';

const [folder = '', way] = process.argv.slice(2);
const log = openAuditLog({ folder, durable: false });
for (let n = 0; n < 50; n++) log.append({ event: 'data.access', details: { n } });
if (way === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
log.close();
