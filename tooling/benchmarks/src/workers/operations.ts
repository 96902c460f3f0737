// Prints the cost of bare and observed calls with as many no-op observers as the argument says.
import { observe, operate, operateStream } from '@sage-adk/core';
import { measure } from '../harness/measure.ts';
import type { OperationTimings } from '../topics/operations.bench.ts';

for (let observers = Number(process.argv[2]); observers > 0; observers--)
  observe({ name: 'no-op', operation: () => ({ start() {}, end() {} }) });

const chunks = 50;
const start = { store: 'memory', namespace: 'n' } as const;
const addOne = (value: number): number => value + 1;
let sum = 0;

async function work(value: number): Promise<number> {
  return addOne(value);
}

async function* items(): AsyncGenerator<number> {
  for (let item = 0; item < chunks; item++) yield item;
}

const timings = await measure(
  [
    {
      name: 'bareSync',
      run: (count) => {
        for (let i = 0; i < count; i++) sum += addOne(i);
      },
    },
    {
      name: 'observedSync',
      run: (count) => {
        for (let i = 0; i < count; i++) sum += operate('storage.get', start, () => addOne(i));
      },
    },
    {
      name: 'bareAsync',
      run: async (count) => {
        for (let i = 0; i < count; i++) sum += await work(i);
      },
    },
    {
      name: 'observedAsync',
      run: async (count) => {
        for (let i = 0; i < count; i++) sum += await operate('storage.get', start, () => work(i));
      },
    },
    {
      name: 'bareChunk',
      run: async (count) => {
        for (let i = 0; i < count / chunks; i++) for await (const item of items()) sum += item;
      },
    },
    {
      name: 'observedChunk',
      run: async (count) => {
        for (let i = 0; i < count / chunks; i++)
          for await (const item of operateStream('storage.get', start, items)) sum += item;
      },
    },
  ],
  200_000,
  11,
);
const result = Object.fromEntries(
  [...timings].map(([name, { medianNs }]) => [name, medianNs]),
) as unknown as OperationTimings;
console.log(JSON.stringify(sum === 0.5 ? {} : result));
process.exit(0);
