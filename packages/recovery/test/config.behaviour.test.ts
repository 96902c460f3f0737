/** What each key of the configuration changes in what happens, not only in what is handed on. */
import { describe, expect, test } from '@jest/globals';
import { createFakeClock, type FakeClock } from '@sage-adk/core/testing';
import { recoveryConfig, recoveryFromConfig } from '../src/config.ts';
import { createMemoryDeadLetters, startRedrive } from '../src/dead-letters/index.ts';
import { cachedResponses, createFallbackChain, staticResponse, type Target } from '../src/fallback/index.ts';
import { createCircuitBreakers, createRetry } from '../src/index.ts';

type Block = Readonly<Record<string, unknown>>;
const busy = Object.assign(new Error('busy'), { status: 503 });
const from = (block: Block) => recoveryFromConfig(recoveryConfig.parse(block));

/** When the tries of a call that never succeeds start, the last chance being half. */
async function tryTimes(keys: Block, calls = 1): Promise<number[]> {
  const clock = createFakeClock();
  const startMs = clock.monotonicMs();
  const retry = createRetry({ ...from({ retry: keys }).retry, random: () => 0.5, clock });
  const times: number[] = [];
  const fail = () => Promise.reject((times.push(Math.round(clock.monotonicMs() - startMs)), busy));
  const settled = Promise.allSettled(Array.from({ length: calls }, () => retry.execute(fail)));
  await clock.advanceAsync(60_000);
  await settled;
  return times;
}

describe('ER24: the retry block', () => {
  test.each([
    ['max_attempts', { max_attempts: 4 }, [0, 100, 300, 700]],
    ['jitter', { jitter: false }, [0, 200, 600]],
    ['backoff_multiplier', { backoff_multiplier: 3 }, [0, 100, 400]],
    ['retry_budget', { retry_budget: 1 }, [0, 100]],
  ])('%s changes when it tries', async (_, keys, times) => {
    expect(await tryTimes({})).toEqual([0, 100, 300]);
    expect(await tryTimes(keys)).toEqual(times);
  });
});

/** Whether a breaker opened by a mix of calls, when it let one through again, and for how long after that failed. */
function breakerOf(keys: Block): {
  clock: FakeClock;
  breaker: ReturnType<ReturnType<typeof createCircuitBreakers>['of']>;
} {
  const clock = createFakeClock();
  const { breaker } = from({ circuit_breaker: keys });
  if (breaker === false) throw new Error('not enabled');
  return { clock, breaker: createCircuitBreakers({ ...breaker, random: () => 0, clock }).of('redis') };
}

interface Calls {
  readonly successes?: number;
  readonly slowMs?: number;
  readonly pauseMs?: number;
  readonly failures?: number;
}

function stateAfter(keys: Block, { successes = 0, slowMs = 0, pauseMs = 0, failures = 0 }: Calls): string {
  const { clock, breaker } = breakerOf(keys);
  for (let call = 0; call < successes; call++) {
    const permit = breaker.tryAcquire();
    clock.advance(slowMs);
    permit?.succeed();
  }
  clock.advance(pauseMs);
  for (let call = 0; call < failures; call++) breaker.tryAcquire()?.fail(busy);
  return breaker.state;
}

/** Lengths of the first rests of an outage. */
function rests(keys: Block): number[] {
  const { clock, breaker } = breakerOf(keys);
  for (let call = 0; call < 10; call++) breaker.tryAcquire()?.fail(busy);
  return Array.from({ length: 4 }, () => {
    let restedMs = 0;
    for (; breaker.tryAcquire() === undefined; restedMs += 50) clock.advance(50);
    // The permit that was taken hangs: it fails at its timeout.
    const hungMs = breaker.snapshot().probing === 1 ? hang(clock, breaker) : 0;
    return hungMs * 1_000_000 + restedMs;
  });
}

function hang(clock: FakeClock, breaker: { tryAcquire(): unknown; readonly state: string }): number {
  let seconds = 0;
  for (; breaker.state === 'recovering'; seconds++) {
    clock.advance(1_000);
    breaker.tryAcquire();
  }
  return seconds;
}

describe('ER19 ER24: the circuit_breaker block', () => {
  test.each<[string, Block, Calls, string, string]>([
    ['failure_ratio', { failure_ratio: 0.2 }, { successes: 12, failures: 4 }, 'closed', 'open'],
    ['min_calls', { min_calls: 3 }, { failures: 3 }, 'closed', 'open'],
    ['window', { window: 60 }, { successes: 20, pauseMs: 15_000, failures: 10 }, 'open', 'closed'],
    ['slow_call', { slow_call: 0.5 }, { successes: 10, slowMs: 600 }, 'closed', 'open'],
    ['dependencies', { dependencies: { redis: { min_calls: 2 } } }, { failures: 2 }, 'closed', 'open'],
  ])('%s changes when it opens', (_, keys, calls, usual, changed) => {
    expect(stateAfter({}, calls)).toBe(usual);
    expect(stateAfter(keys, calls)).toBe(changed);
  });

  test('slow_ratio changes when slow calls open it', () => {
    const calls = { successes: 10, slowMs: 600 };
    const mixed = (keys: Block): string => {
      const { clock, breaker } = breakerOf({ slow_call: 0.5, ...keys });
      for (let call = 0; call < 2 * calls.successes && breaker.state === 'closed'; call++) {
        const permit = breaker.tryAcquire();
        clock.advance(call % 2 === 0 ? 0 : calls.slowMs);
        permit?.succeed();
      }
      return breaker.state;
    };
    expect([mixed({}), mixed({ slow_ratio: 0.4 })]).toEqual(['closed', 'open']);
  });

  test.each<[string, Block, number[]]>([
    ['reset_timeout', { reset_timeout: 1 }, [500, 1_000, 1_000, 1_000]],
    ['max_reset_timeout', { max_reset_timeout: 0.5 }, [250, 250, 250, 250]],
    ['probe_timeout', { probe_timeout: 5 }, [250, 500, 1_000, 1_000]],
  ])('%s changes how it rests', (key, keys, restMs) => {
    const seconds = key === 'probe_timeout' ? 5 : 30;
    expect(rests({})).toEqual([250, 500, 1_000, 1_000].map((ms) => 30_000_000 + ms));
    expect(rests(keys)).toEqual(restMs.map((ms) => seconds * 1_000_000 + ms));
  });

  test('enabled changes whether there is one', () => {
    expect([from({}).breaker, from({ circuit_breaker: { enabled: false } }).breaker]).toEqual([
      { dependencies: {} },
      false,
    ]);
  });
});

/** Who answers where the first two models are down, and what they answer the second time when all are. */
async function answers(keys: Block): Promise<string[]> {
  const { fallback } = from({ fallback: keys });
  const plan = fallback === false ? { targets: [], cachedResponses: false, defaultMessage: undefined } : fallback;
  let down = ['first'];
  const target = (name: string, priority: number): Target<string, string> => ({
    name,
    priority,
    call: () => (down.includes(name) ? Promise.reject(busy) : `from ${name}`),
  });
  const chain = createFallbackChain<string, string>({
    name: 'chat',
    targets: [target('first', 0), ...plan.targets.map(({ name, priority }) => target(name, priority))],
    responses: [
      ...(plan.cachedResponses ? [cache()] : []),
      ...(plan.defaultMessage === undefined ? [] : [staticResponse<string, string>(plan.defaultMessage)]),
    ],
  });
  const ask = (): Promise<string> =>
    chain.execute('hi').then(
      ({ value }) => value,
      () => 'error',
    );
  const one = await ask();
  down = ['first', ...plan.targets.map(({ name }) => name)];
  return [one, await ask()];
}

function cache() {
  return cachedResponses<string, string>(async () => ({ value: 'from the cache', stale: true }));
}

describe('ER5 ER8 ER24: the fallback block', () => {
  const llm_chain = [
    { provider: 'openai', model: 'small', priority: 2 },
    { provider: 'anthropic', model: 'large', priority: 1 },
  ];

  test.each<[string, Block, string[]]>([
    ['enabled', { enabled: false, llm_chain, default_message: 'Sorry.' }, ['error', 'error']],
    ['llm_chain', { enabled: true, llm_chain }, ['from anthropic/large', 'error']],
    ['cached_responses', { enabled: true, cached_responses: true }, ['from the cache', 'from the cache']],
    ['default_message', { enabled: true, llm_chain, default_message: 'Sorry.' }, ['from anthropic/large', 'Sorry.']],
  ])('%s changes who answers', async (_, keys, given) => {
    expect(await answers({ enabled: true })).toEqual(['error', 'error']);
    expect(await answers(keys)).toEqual(given);
  });
});

/** What a store of the block keeps of twelve letters, and what its automatic redrive does of a handler that always fails. */
async function lettersOf(keys: Block) {
  const { deadLetters } = from({ dlq: { enabled: true, max_size: 10, ...keys } });
  if (deadLetters === false) return undefined;
  const clock = createFakeClock();
  await using store = createMemoryDeadLetters({ ...deadLetters.store, clock });
  let refused = 0;
  for (let letter = 0; letter < 12; letter++)
    await store.put({ source: 'inbox', dedupeKey: `${letter}`, payload: letter, error: busy }).catch(() => refused++);
  const kept = (await store.stats()).dead;
  const startMs = clock.monotonicMs();
  const times: number[] = [];
  const handler = () => Promise.reject((times.push(Math.round(clock.monotonicMs() - startMs)), busy));
  const redrive =
    deadLetters.redrive &&
    startRedrive(store, handler, { ...deadLetters.redrive, stopAtFailureRatio: 1, minTries: 1_000, clock });
  for (let step = 0; step < 1_400; step++) await clock.advanceAsync(50);
  if (redrive !== false) await redrive.close();
  const triedIn70s = times.length;
  const secondMs = times.length > 1 ? (times[1] ?? 0) - (times[0] ?? 0) : undefined;
  const { parked } = await store.stats();
  await clock.advanceAsync(7_200_000);
  const later = await store.stats();
  return {
    storage: deadLetters.storage,
    kept,
    refused,
    firstMs: times[0],
    secondMs,
    triedIn70s,
    parked,
    after2Hours: later.dead + later.parked,
  };
}

describe('ER11 ER24: the dlq block', () => {
  const usual = { storage: 'memory', kept: 10, refused: 2, triedIn70s: 0, parked: 0, after2Hours: 10 };
  const redriven = { ...usual, firstMs: 60_000, secondMs: 100, triedIn70s: 10 };

  test.each<[string, Block, object | undefined]>([
    ['enabled', { enabled: false }, undefined],
    ['storage', { storage: 'redis' }, { ...usual, storage: 'redis' }],
    ['max_size', { max_size: 5 }, { ...usual, kept: 5, refused: 7, after2Hours: 5 }],
    ['retention_hours', { retention_hours: 1 }, { ...usual, after2Hours: 0 }],
    ['when_full', { when_full: 'drop-oldest' }, { ...usual, refused: 0 }],
    ['max_redrives', { auto_retry: true, max_redrives: 1 }, { ...redriven, parked: 10 }],
    ['auto_retry', { auto_retry: true }, redriven],
    ['retry_interval', { auto_retry: true, retry_interval: 30 }, { ...redriven, firstMs: 30_000, triedIn70s: 20 }],
    ['retry_rate', { auto_retry: true, retry_rate: 2 }, { ...redriven, secondMs: 500 }],
  ])('%s changes what is kept or tried', async (_, keys, changed) => {
    expect(await lettersOf({})).toMatchObject(usual);
    if (changed === undefined) expect(await lettersOf(keys)).toBeUndefined();
    else expect(await lettersOf(keys)).toMatchObject(changed);
  });
});
