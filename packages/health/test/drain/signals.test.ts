import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';

const drain = new URL('../../dist/drain/index.js', import.meta.url).href;

/** A process that drains by one step, and prints what happens. */
async function start(step: string, options = '{}'): Promise<{ child: ChildProcess; printed: () => string }> {
  const script = `
    import { createDrain } from '${drain}';
    setInterval(() => {}, 1_000);
    const step = { name: 'work', timeoutMs: 10_000, run: async (signal) => { console.log('draining'); ${step} } };
    createDrain({ preStopDelayMs: 0, steps: [step] }).onSignals(${options});
    console.log('started');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  await once(child.stdout, 'data');
  return { child, printed: () => text };
}

test.each<NodeJS.Signals>(['SIGTERM', 'SIGINT'])('%s drains, then the process exits with 0', async (signal) => {
  const { child, printed } = await start(
    `await new Promise((resolve) => setTimeout(resolve, 20)); console.log('done');`,
  );
  child.kill(signal);
  expect(await once(child, 'close')).toEqual([0, null]);
  expect(printed()).toBe('started\ndraining\ndone\n');
});

test('where a step fails the exit code is 1', async () => {
  const { child } = await start(`throw new Error('no');`);
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([1, null]);
});

test('a second signal exits at once', async () => {
  const { child, printed } = await start('return new Promise(() => {});', '{ sameSignalMs: 0 }');
  child.kill('SIGTERM');
  while (!printed().includes('draining')) await once(child.stdout ?? child, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([1, null]);
});
