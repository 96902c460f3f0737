import { expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { postgresErrors } from '@sage-adk/core/postgres';
import { Batches } from '../../../src/stores/postgres/batches.ts';
import type { BatchCall } from '../../../src/stores/postgres/requests.ts';

const call = (id: number): BatchCall => ({
  kind: 1,
  size: 1,
  id: String(id),
  ttlUs: 0,
  maxWaitUs: 0,
  rules: '',
  keys: '',
  numbers: '',
  labels: '',
  isAudited: false,
});

/** Batches on a fake clock, and what was sent: each with a way to answer it. */
function open({ lanes = 1 } = {}) {
  const clock = createFakeClock();
  const sent: Sent[] = [];
  const batches = new Batches({
    clock,
    lanes,
    deadlineMs: 50,
    send(calls, leftMs) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly (readonly number[])[]>();
      const ids = calls.map(({ id }) => Number(id));
      sent.push({ ids, leftMs, answer: () => resolve(ids.map((id) => [id])), fail: reject });
      return promise;
    },
  });
  return { clock, sent, callAll: (...ids: number[]) => ids.map(async (id) => batches.call(call(id))) };
}

interface Sent {
  readonly ids: readonly number[];
  readonly leftMs: number;
  answer(): void;
  fail(error: unknown): void;
}

const turn = async () => new Promise((resolve) => setImmediate(resolve));

test('a call alone goes at once; those that come while all lanes are busy go together, in their order', async () => {
  const { sent, callAll } = open();
  const first = callAll(1);
  await turn();
  const rest = callAll(2, 3, 4);
  await turn();
  expect(sent.map(({ ids }) => ids)).toEqual([[1]]);
  sent[0]?.answer();
  expect(await Promise.all(first)).toEqual([[1]]);
  await turn();
  expect(sent.map(({ ids }) => ids)).toEqual([[1], [2, 3, 4]]);
  sent[1]?.answer();
  expect(await Promise.all(rest)).toEqual([[2], [3], [4]]);
});

test('what waits is shared among the lanes, at least 8 and at most 32 calls each', async () => {
  const { sent, callAll } = open({ lanes: 2 });
  const sizes = (): readonly number[] => sent.map(({ ids }) => ids.length);
  const calls = callAll(...Array.from({ length: 10 }, (_, id) => id));
  await turn();
  expect(sizes()).toEqual([8, 2]);
  calls.push(...callAll(...Array.from({ length: 70 }, (_, id) => 10 + id)));
  await turn();
  expect(sizes()).toEqual([8, 2]);
  sent[0]?.answer();
  await turn();
  expect(sizes()).toEqual([8, 2, 32]);
  sent[1]?.answer();
  await turn();
  sent[2]?.answer();
  await turn();
  expect(sizes()).toEqual([8, 2, 32, 32, 6]);
  for (const batch of sent) batch.answer();
  expect((await Promise.all(calls)).map(([id]) => id)).toEqual(Array.from({ length: 80 }, (_, id) => id));
});

test('the deadline of each call counts from when it came, and one that is over is not sent', async () => {
  const { clock, sent, callAll } = open();
  const [stuck] = callAll(1);
  await turn();
  clock.advance(20);
  const [old] = callAll(2);
  clock.advance(29);
  const [young] = callAll(3);
  const outcomes = Promise.allSettled([stuck, old]);
  clock.advance(21);
  expect((await outcomes).map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : undefined))).toEqual([
    'SAGE_POSTGRES_DEADLINE',
    'SAGE_POSTGRES_DEADLINE',
  ]);
  sent[0]?.fail(postgresErrors.DEADLINE({ deadlineMs: 50 }));
  await turn();
  expect(sent.map(({ ids, leftMs }) => ({ ids, leftMs }))).toEqual([
    { ids: [1], leftMs: 50 },
    { ids: [3], leftMs: 29 },
  ]);
  sent[1]?.answer();
  expect(await young).toEqual([3]);
});

test('calls whose callers gave up are not sent after a batch that the server refused', async () => {
  const { clock, sent, callAll } = open();
  const [first] = callAll(1);
  await turn();
  const calls = callAll(2, 3);
  clock.advance(20);
  calls.push(...callAll(4));
  sent[0]?.answer();
  await first;
  await turn();
  const outcomes = Promise.allSettled(calls);
  clock.advance(30);
  await turn();
  const refusal = postgresErrors.QUERY_FAILED({ sqlState: '22003', reason: 'out of range' });
  sent[1]?.fail(refusal);
  await turn();
  expect(sent.map(({ ids, leftMs }) => ({ ids, leftMs }))).toEqual([
    { ids: [1], leftMs: 50 },
    { ids: [2, 3, 4], leftMs: 50 },
    { ids: [4], leftMs: 20 },
  ]);
  sent[2]?.answer();
  expect((await outcomes).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
});

test('what fails for all fails for each, but a call that the server refuses fails alone', async () => {
  const { sent, callAll } = open();
  const lost = callAll(1, 2);
  await turn();
  sent[0]?.fail(postgresErrors.UNAVAILABLE({ reason: 'gone' }));
  expect((await Promise.allSettled(lost)).map(({ status }) => status)).toEqual(['rejected', 'rejected']);

  const outcomes = Promise.allSettled(callAll(3, 4, 5));
  await turn();
  const refusal = postgresErrors.QUERY_FAILED({ sqlState: '22003', reason: 'out of range' });
  for (const [index, id] of [undefined, 3, 4, 5].entries()) {
    if (id === undefined || id === 4) sent[1 + index]?.fail(refusal);
    else sent[1 + index]?.answer();
    await turn();
  }
  expect(await outcomes).toEqual([
    { status: 'fulfilled', value: [3] },
    { status: 'rejected', reason: refusal },
    { status: 'fulfilled', value: [5] },
  ]);
});
