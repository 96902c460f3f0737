/**
 * `pnpm bench [topic ...]`: runs the topics, prints figures and gates, writes results/<topic>.json, and fails where a gate fails.
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { passes, type Topic } from './harness/topic.ts';

const topics = new URL('./topics/', import.meta.url);
const results = new URL('../results/', import.meta.url);
const available = readdirSync(topics).flatMap((file) =>
  file.endsWith('.bench.ts') ? [file.replace('.bench.ts', '')] : [],
);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : available;
const unknown = wanted.filter((name) => !available.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(', ')}. There are: ${available.join(', ')}.`);
  process.exit(1);
}

let failed = 0;
mkdirSync(results, { recursive: true });
for (const name of wanted) {
  const { topic } = (await import(new URL(`${name}.bench.ts`, topics).href)) as { topic: Topic };
  console.log(`\n${topic.name}`);
  const { figures, gates } = await topic.run();
  for (const [figure, value] of Object.entries(figures))
    console.log(`  ${figure}: ${typeof value === 'number' ? round(value) : value}`);
  for (const gate of gates) {
    const passed = passes(gate);
    if (!passed) failed++;
    console.log(`  ${passed ? 'pass' : 'FAIL'}  ${gate.name}: ${round(gate.value)}, ${gate.kind} ${round(gate.limit)}`);
  }
  const record = {
    topic: topic.name,
    date: new Date().toISOString(),
    node: process.version,
    figures,
    gates: gates.map((gate) => ({ ...gate, passed: passes(gate) })),
  };
  writeFileSync(new URL(`${name}.json`, results), `${JSON.stringify(record, undefined, 2)}\n`);
}
process.exit(failed === 0 ? 0 : 1);

function round(value: number): number {
  return Number(value.toPrecision(3));
}
