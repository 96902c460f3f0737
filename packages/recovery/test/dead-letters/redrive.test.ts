import { describe, expect, jest, test } from '@jest/globals';
import { createFakeClock, type FakeClock, recordOperations } from '@sage-adk/core/testing';
import {
  createMemoryDeadLetters,
  type DeadLetterStore,
  exportDeadLetters,
  redrive,
  reportDeadLetters,
  reportToMarkdown,
  startRedrive,
} from '../../src/dead-letters/index.ts';
import { fingerprintOf } from '../../src/dead-letters/fingerprint.ts';

async function filled(letters: number, options = {}): Promise<{ clock: FakeClock; store: DeadLetterStore }> {
  const clock = createFakeClock();
  const store = createMemoryDeadLetters({ clock, ...options });
  for (let index = 0; index < letters; index++) {
    await store.put({ source: 'inbox', dedupeKey: `m${index}`, payload: index, error: new Error(`no ${index}`) });
  }
  return { clock, store };
}

/** Lets time pass until the promise settles. */
async function settled<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  const state = { over: false };
  const watched = promise.finally(() => void (state.over = true));
  watched.catch(() => {});
  for (let turn = 0; turn < 10_000 && !state.over; turn++) await clock.advanceAsync(10);
  return watched;
}

const fast = { ratePerSecond: 1_000 };

describe('a redrive by hand', () => {
  test('ER14: acknowledges a letter only after its handler succeeded', async () => {
    const { clock, store } = await filled(3);
    const stillThere: boolean[] = [];
    const result = await settled(
      clock,
      redrive(
        store,
        async ({ id }) => {
          for await (const letter of store.query({ ids: [id] })) stillThere.push(letter.state === 'claimed');
        },
        { ...fast, clock },
      ),
    );
    expect(result).toEqual({ stopped: 'done', succeeded: 3, failed: 0, lost: 0 });
    expect(stillThere).toEqual([true, true, true]);
    expect(await store.stats()).toMatchObject({ dead: 0, claimed: 0, parked: 0 });
  });

  test('ER14: a letter whose handler failed stays, waits longer each time, and is parked at the end', async () => {
    const { clock, store } = await filled(1, { maxRedrives: 3 });
    const fail = () => Promise.reject(new Error('still broken'));
    const waits: number[] = [];
    for (let pass = 0; pass < 3; pass++) {
      await settled(clock, redrive(store, fail, { ...fast, clock, retryDelayMs: 1_000 }));
      for await (const { visibleAtMs } of store.query()) waits.push(visibleAtMs - clock.now());
      clock.advance(10_000);
    }
    expect(waits.map((wait) => Math.ceil(wait / 1_000))).toEqual([1, 2, 4]);
    expect(await store.stats()).toMatchObject({ parked: 1 });
  });

  test('ER14: each try of a message has the same idempotency key, two messages have two', async () => {
    const { clock, store } = await filled(2);
    const keys: string[] = [];
    const handler = (_: unknown, { idempotencyKey }: { idempotencyKey: string }) => {
      keys.push(idempotencyKey);
      return Promise.reject(new Error('no'));
    };
    for (let pass = 0; pass < 2; pass++)
      await settled(clock, redrive(store, handler, { ...fast, clock, retryDelayMs: 0, limit: 2 }));
    expect(keys).toHaveLength(4);
    expect(new Set(keys).size).toBe(2);
  });

  test('ER14: it stops when too many fail, and what it did not try is as it was', async () => {
    const { clock, store } = await filled(50);
    const result = await settled(
      clock,
      redrive(store, () => Promise.reject(new Error('down')), { ...fast, clock }),
    );
    expect(result).toEqual({ stopped: 'failures', succeeded: 0, failed: 10, lost: 0 });
    expect(await store.stats()).toMatchObject({ dead: 50 });
  });

  test('ER14: it asks whether the target is ready before each try', async () => {
    const { clock, store } = await filled(5);
    let tries = 0;
    const result = await settled(
      clock,
      redrive(store, async () => void tries++, { ...fast, clock, ready: () => tries < 2 }),
    );
    expect(result).toMatchObject({ stopped: 'not-ready', succeeded: 2 });
    expect(await store.stats()).toMatchObject({ dead: 3, claimed: 0 });
  });

  test('ER14: tries start no faster than the rate, and no more at once than allowed', async () => {
    const { clock, store } = await filled(20);
    const starts: number[] = [];
    let running = 0;
    let most = 0;
    const handler = async () => {
      starts.push(clock.monotonicMs());
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => void clock.setTimer(resolve, 500));
      running--;
    };
    const result = await settled(clock, redrive(store, handler, { clock, ratePerSecond: 10, concurrency: 3 }));
    expect(result.succeeded).toBe(20);
    expect(most).toBe(3);
    const gaps = starts.slice(1).map((start, index) => start - (starts[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(99);
  });

  test('ER14: an abort ends it, gives back what it holds, and loses nothing', async () => {
    const { clock, store } = await filled(3);
    const abort = new AbortController();
    const running = redrive(
      store,
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
          clock.setTimer(() => abort.abort(), 50);
        }),
      { ...fast, clock, signal: abort.signal },
    );
    expect(await settled(clock, running)).toEqual({ stopped: 'aborted', succeeded: 0, failed: 0, lost: 0 });
    expect(await store.stats()).toMatchObject({ dead: 3, claimed: 0 });
  });

  test('ER14: the lease is renewed while a handler works, and its signal tells when the claim is lost', async () => {
    const { clock, store } = await filled(1);
    let lost = false;
    const result = await settled(
      clock,
      redrive(
        store,
        async (_, { signal }) => {
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 5_000));
          expect(await store.claim()).toEqual([]);
          await store.put({ source: 'inbox', dedupeKey: 'm0', payload: 0, error: 'failed again' });
          await new Promise<void>((resolve) => void clock.setTimer(resolve, 2_000));
          lost = signal.aborted;
        },
        { ...fast, clock, leaseMs: 1_000, limit: 1 },
      ),
    );
    expect([lost, result.lost]).toEqual([true, 1]);
    expect(await store.stats()).toMatchObject({ dead: 1 });
  });

  test('ER14: a filter chooses, and parked letters are tried when it names them', async () => {
    const { clock, store } = await filled(3, { maxRedrives: 1 });
    const [first] = await store.claim();
    if (first !== undefined) await store.nack(first);
    const done: unknown[] = [];
    const handler = async ({ payload }: { payload: unknown }) => void done.push(payload);
    await settled(clock, redrive(store, handler, { ...fast, clock, filter: { text: 'no 2' } }));
    expect(done).toEqual([2]);
    await settled(clock, redrive(store, handler, { ...fast, clock, filter: { state: 'parked' } }));
    expect(done).toEqual([2, 0]);
    expect(await store.stats()).toMatchObject({ dead: 1, parked: 0 });
  });

  test('each try is an operation', async () => {
    const { clock, store } = await filled(1);
    using recorder = recordOperations();
    await settled(
      clock,
      redrive(store, () => Promise.reject(new Error('no')), { ...fast, clock }),
    );
    expect(recorder.named('dlq.replay')).toMatchObject([
      { start: { store: 'memory', queue: 'default' }, attributes: { attempt: 1 }, outcome: 'error' },
    ]);
  });

  test("an error of the store is the redrive's, and nothing is lost", async () => {
    const { clock, store } = await filled(3);
    const broken = { ...store, ack: () => Promise.reject(new Error('gone')) };
    await expect(
      settled(
        clock,
        redrive(broken, async () => {}, { ...fast, clock }),
      ),
    ).rejects.toThrow('gone');
    expect(await store.stats()).toMatchObject({ dead: 2, claimed: 1 });
  });
});

describe('an automatic redrive', () => {
  test('ER14: tries what is due at each interval, survives errors of the store, and ends', async () => {
    const { clock, store } = await filled(2);
    let healthy = false;
    const results: unknown[] = [];
    await using automatic = startRedrive(store, () => (healthy ? Promise.resolve() : Promise.reject(new Error('no'))), {
      ...fast,
      clock,
      intervalMs: 1_000,
      retryDelayMs: 500,
      onResult: (result, error) => void results.push(error ?? result),
    });
    await clock.advanceAsync(900);
    expect(results).toEqual([]);
    for (let turn = 0; turn < 20; turn++) await clock.advanceAsync(10);
    expect(results).toEqual([{ stopped: 'done', succeeded: 0, failed: 2, lost: 0 }]);
    healthy = true;
    for (let turn = 0; turn < 150; turn++) await clock.advanceAsync(10);
    expect(results.at(-1)).toEqual({ stopped: 'done', succeeded: 2, failed: 0, lost: 0 });
    await automatic.close();
    expect(clock.pending).toBe(0);
  });

  test('ER14: it listens once to its end, however many intervals pass', async () => {
    const { clock, store } = await filled(0);
    const add = jest.spyOn(AbortSignal.prototype, 'addEventListener');
    const remove = jest.spyOn(AbortSignal.prototype, 'removeEventListener');
    try {
      await using _automatic = startRedrive(store, () => Promise.resolve(), { clock, intervalMs: 10 });
      for (let turn = 0; turn < 50; turn++) await clock.advanceAsync(10);
      expect(add.mock.calls.length).toBeGreaterThan(10);
      expect(add.mock.calls.length - remove.mock.calls.length).toBeLessThanOrEqual(1);
    } finally {
      add.mockRestore();
      remove.mockRestore();
    }
  });

  test('ER14: an automatic redrive works where nobody wants to be told of it', async () => {
    const { clock, store } = await filled(1);
    await using _automatic = startRedrive(store, () => Promise.resolve(), { clock, intervalMs: 1_000 });
    for (let turn = 0; turn < 120; turn++) await clock.advanceAsync(10);
    expect(await store.stats()).toMatchObject({ dead: 0, claimed: 0 });
  });
});

describe('an automatic redrive refuses at once what no redrive could do', () => {
  test.each([
    { concurrency: 0 },
    { ratePerSecond: 0 },
    { leaseMs: Number.NaN },
    { stopAtFailureRatio: 2 },
    { limit: 0 },
  ])('ER14: %j', async (options) => {
    const { clock, store } = await filled(1);
    expect(() => startRedrive(store, async () => {}, { clock, ...options })).toThrow(
      expect.objectContaining({ code: 'SAGE_CORE_INVALID_OPTION' }),
    );
    expect(clock.pending).toBe(0);
  });
});

describe('a report', () => {
  test('ER15: failures of one kind are one group, the most frequent first', async () => {
    const { store } = await filled(5);
    await store.put({ source: 'outbox', dedupeKey: 'x', payload: 1, error: new TypeError('other | kind') });
    const report = await reportDeadLetters(store);
    expect(report).toMatchObject({ queue: 'default', letters: 6 });
    expect(report.groups).toMatchObject([
      { letters: 5, name: 'Error', message: 'no 4', sources: ['inbox'], states: { dead: 5 } },
      { letters: 1, name: 'TypeError', sources: ['outbox'] },
    ]);
    expect(report.groups[0]?.samples).toHaveLength(3);
    expect(reportToMarkdown(report)).toContain('TypeError: other \\| kind');
    expect(await reportDeadLetters(store, { source: 'outbox' })).toMatchObject({ letters: 1 });
    await store.put({ source: 'outbox', payload: 1, error: new Error('\u001b]0;owned\u0007\u009b2J') });
    expect(reportToMarkdown(await reportDeadLetters(store)).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });

  test('ER15: an export is a line of JSON per letter', async () => {
    const { store } = await filled(2);
    const lines: string[] = [];
    for await (const line of exportDeadLetters(store)) lines.push(line);
    expect(lines.map((line) => (JSON.parse(line) as { dedupeKey: string }).dedupeKey)).toEqual(['m0', 'm1']);
    expect(lines.every((line) => line.endsWith('}\n'))).toBe(true);
  });

  test.each([
    ['no user 17 in 0x1f', 'no user 18 in 0x2e'],
    [
      'request 6f1c1a52-0d5c-4c3e-9d6c-9e0c0b7d2a11 timed out',
      'request 00000000-0000-4000-8000-000000000000 timed out',
    ],
    ['GET https://a.example/x?y=1 failed', 'GET https://b.example/z failed'],
    ['no "apple" here', 'no "pear" here'],
  ])('ER15: %j and %j are of one kind', (one, other) => {
    const error = { category: 'transient', reason: 'server', name: 'Error' };
    expect(fingerprintOf({ ...error, message: one })).toBe(fingerprintOf({ ...error, message: other }));
    expect(fingerprintOf({ ...error, message: one })).not.toBe(fingerprintOf({ ...error, message: 'something else' }));
  });
});
