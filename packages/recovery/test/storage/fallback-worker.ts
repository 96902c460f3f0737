/** A process that writes through a storage fallback, one key after the other, and notes what was promised of each. */
import { appendFileSync } from 'node:fs';
import { openFallback } from './fallback-stores.ts';

const [postgresUrl = '', redisUrl = '', name = '', file = ''] = process.argv.slice(2);
const { storage } = await openFallback(postgresUrl, redisUrl);
for (let n = 0; ; n++) {
  const key = `${name}-${n}`;
  try {
    const { durability } = await storage.write(key, { n });
    // Nothing runs between the answer and the note, so what is killed has noted all that it was told.
    appendFileSync(file, `${durability} ${key} ${n}\n`);
  } catch {
    appendFileSync(file, `refused ${key} ${n}\n`);
  }
  await new Promise((resolve) => setTimeout(resolve, 2));
}
