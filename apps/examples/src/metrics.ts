/** Metrics: operations are counted and timed, a metric of your own stands beside them, Prometheus reads both. */
import { operate } from '@sage-adk/core';
import { createMetrics } from '@sage-adk/metrics';

const metrics = createMetrics({ runtime: false });
const listening = await metrics.listen({ port: 0 });
const greetings = metrics.counter({ name: 'example_greetings_total', help: 'Greetings.', labels: ['language'] });

const call = { provider: 'example', model: 'small', api: 'chat', stream: false };
await operate('llm.call', call, async (operation) => {
  operation.set({ inputTokens: 12, outputTokens: 34 });
  greetings.with('en').inc();
});

const text = await (await fetch(listening.url)).text();
console.log(
  text
    .split('\n')
    .filter((line) => /^(sage_llm_calls|sage_llm_tokens|example_)/.test(line))
    .join('\n'),
);
await metrics.close();
