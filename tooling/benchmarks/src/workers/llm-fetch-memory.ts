// Prints the live heap while streams go through the wrapper, however they end: read, left in the middle, aborted, never read.
import { wrapFetch } from '@sage-adk/llm';
import type { LlmFetchMemory } from '../topics/llm-fetch.bench.ts';
import { answerInPieces, production } from './llm-fetch-rig.ts';

const streams = 100_000;
const points = 10;
const modelFetch = wrapFetch(answerInPieces(5), production());
const body = JSON.stringify({
  model: 'gpt-4.1',
  messages: [{ role: 'user', content: 'What time is it?' }],
  stream: true,
});

async function once(index: number): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  const response = await modelFetch('https://api.test/v1/chat/completions', { method: 'POST', body, signal });
  switch (index % 10) {
    case 0:
      await response.body?.cancel();
      return;
    case 1:
      controller.abort();
      return;
    case 2:
      return;
    default:
      await response.text();
  }
}

const heapBytes: number[] = [];
for (let point = 0; point < points; point++) {
  for (let index = 0; index < streams / points; index++) await once(index);
  heapBytes.push(await liveHeap());
}
console.log(JSON.stringify({ streams, heapBytes } satisfies LlmFetchMemory));
process.exit(0);

/** What the collector finds is told of in later turns, and then lets go of more. */
async function liveHeap(): Promise<number> {
  for (let turn = 0; turn < 3; turn++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return process.memoryUsage().heapUsed;
}
