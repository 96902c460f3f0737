/**
 * Records what the real packages and servers throw, as fixtures of recovery's classifier.
 *
 * The labels stand apart from the shapes, in labels.json, and are written by hand: what this prints as unlabelled needs one, with its source.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fetchOrigin } from './origins/fetch.ts';
import { protocolOrigins } from './origins/protocols.ts';
import { postgresOrigin } from './origins/postgres.ts';
import { redisOrigin } from './origins/redis.ts';
import { sdkOrigins } from './origins/sdks.ts';

const folder = new URL('../../error-corpus/fixtures/', import.meta.url);
const origins = [fetchOrigin, ...sdkOrigins, redisOrigin, postgresOrigin, ...protocolOrigins];
const wanted = process.argv.slice(2);

mkdirSync(folder, { recursive: true });
const labels = new Set(Object.keys(JSON.parse(readFileSync(new URL('labels.json', folder), 'utf8')) as object));
for (const origin of origins) {
  if (wanted.length > 0 && !wanted.includes(origin.name)) continue;
  const recorded = await origin.record();
  const shapes = Object.fromEntries(recorded.map(({ name, shape }) => [name, shape]));
  const text = `${JSON.stringify({ from: origin.from, shapes }, undefined, 2)}\n`;
  writeFileSync(new URL(`${origin.name}.json`, folder), text);
  const unlabelled = recorded.filter(({ name }) => !labels.has(`${origin.name}/${name}`));
  console.log(`${origin.name}: ${recorded.length} from ${origin.from}`);
  for (const { name } of unlabelled) console.log(`  no label: ${origin.name}/${name}`);
}
process.exit(0);
