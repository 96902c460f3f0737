import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  defineErrors,
  endOpen,
  observe,
  observerFailures,
  openOperations,
  operate,
  run,
  type Subscription,
} from '../../src/index.ts';
import { call, entry, recorder, sweep } from './support.ts';

let seen: ReturnType<typeof recorder>;
beforeEach(() => void (seen = recorder()));
afterEach(() => {
  seen[Symbol.dispose]();
  endOpen();
});

describe('an observed call', () => {
  test('returns the value of a synchronous call and records what was set', () => {
    expect(operate('storage.get', entry, (operation) => (operation.set({ hit: true }), 3))).toBe(3);
    expect(seen.last()).toMatchObject({ name: 'storage.get', start: entry, attributes: { hit: true }, outcome: 'ok' });
  });

  test('returns the value of a promise', async () => {
    await expect(operate('storage.get', entry, async () => 4)).resolves.toBe(4);
    expect(seen.last().outcome).toBe('ok');
  });

  test('throws the very error of the call', async () => {
    const error = new Error('x');
    expect(() =>
      operate('storage.get', entry, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(seen.last()).toMatchObject({ outcome: 'error', error });
    await expect(operate('storage.get', entry, () => Promise.reject(error))).rejects.toBe(error);
    expect(seen.last()).toMatchObject({ outcome: 'error', error });
  });

  test('runs a lazy thenable once and gives a plain promise', async () => {
    let executed = 0;
    const lazy = {
      then(resolve: (value: number) => void) {
        executed++;
        resolve(7);
      },
    } as PromiseLike<number>;
    const result = operate('storage.get', entry, () => lazy);
    expect(typeof result.finally).toBe('function');
    await expect(result).resolves.toBe(7);
    expect(executed).toBe(1);
  });

  test('still reports an unhandled rejection', () => {
    const script = `
      import { observe, operate } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)};
      process.on('unhandledRejection', (reason) => console.log('unhandled', reason.message));
      observe({ name: 'all', operation: () => ({ end() {} }) });
      void operate('storage.get', {}, () => Promise.reject(new Error('nobody listens')));`;
    const child = spawnSync(
      process.execPath,
      ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', script],
      { encoding: 'utf8' },
    );
    expect(child.stdout).toBe('unhandled nobody listens\n');
  });

  test('takes a settled outcome over that of the return', () => {
    operate('limiter.check', { store: 'redis', rules: 1 }, (operation) => operation.settle('denied'));
    expect(seen.last().outcome).toBe('denied');
  });

  test('ignores what is said after the end', async () => {
    let late: (() => void) | undefined;
    operate('storage.get', entry, (operation) => {
      late = () => {
        operation.set({ hit: false });
        operation.settle('error');
      };
    });
    late?.();
    expect(seen.last()).toMatchObject({ outcome: 'ok', attributes: {} });
  });

  test('ends with its promise when the observer has left meanwhile, and does not see later calls', async () => {
    const ends: string[] = [];
    const leaving: Subscription = observe({
      name: 'leaving',
      operation: () => ({ end: (record) => void ends.push(String(record.start['namespace' as never])) }),
    });
    let release: () => void = () => {};
    const pending = operate(
      'storage.get',
      { store: 's', namespace: 'in flight' },
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    leaving[Symbol.dispose]();
    release();
    await pending;
    operate('storage.get', { store: 's', namespace: 'later' }, () => 1);
    expect(ends).toEqual(['in flight']);
  });
});

describe('the record of a failure', () => {
  const errors = defineErrors('OPERATETEST', {
    QUOTA: { category: 'transient', outcome: 'denied', status: 429, message: 'No quota is left.' },
    GONE: { category: 'cancelled', status: 499, message: 'The caller left.' },
  });

  test.each([
    ['a timeout', new DOMException('t', 'TimeoutError'), { outcome: 'timeout', category: 'transient' }],
    ['an abort', new DOMException('a', 'AbortError'), { outcome: 'cancelled', category: undefined }],
    [
      'a refused connection',
      Object.assign(new Error('c'), { code: 'ECONNREFUSED' }),
      { outcome: 'error', category: 'transient', code: undefined },
    ],
    ['an HTTP status 503', Object.assign(new Error('s'), { status: 503 }), { outcome: 'error', category: 'transient' }],
    ['an HTTP status 401', Object.assign(new Error('s'), { status: 401 }), { outcome: 'error', category: 'permanent' }],
    ['anything else', 'a string', { outcome: 'error', category: 'unknown' }],
    ['a SageError', errors.QUOTA(), { outcome: 'denied', category: 'transient', code: 'SAGE_OPERATETEST_QUOTA' }],
    [
      'a cancelled SageError',
      errors.GONE(),
      { outcome: 'cancelled', category: undefined, code: 'SAGE_OPERATETEST_GONE' },
    ],
  ])('%s', async (_, error, expected) => {
    await operate('llm.call', call, () => Promise.reject(error)).catch(() => {});
    expect(seen.last()).toMatchObject(expected);
  });

  test('leaves out a code that no table declares, for it would be a label without bound', async () => {
    const foreign = Object.assign(new Error('x'), {
      [Symbol.for('@sage-adk/error')]: true,
      code: `SAGE_MADE_UP_${Date.now()}`,
      category: 'critical',
      outcome: 'error',
    });
    await operate('llm.call', call, () => Promise.reject(foreign)).catch(() => {});
    expect(seen.last()).toMatchObject({ outcome: 'error', category: 'critical', code: undefined });
  });

  test('says timeout when the context was aborted by a timeout', async () => {
    const controller = new AbortController();
    controller.abort(new DOMException('late', 'TimeoutError'));
    await run({ signal: controller.signal }, () =>
      operate('llm.call', call, () => Promise.reject(new DOMException('a', 'AbortError'))),
    ).catch(() => {});
    expect(seen.last().outcome).toBe('timeout');
  });
});

describe('an observer', () => {
  test('that throws, repeats or skips changes nothing but a count', async () => {
    const before = observerFailures();
    let calls = 0;
    const bad = observe({
      name: 'bad',
      operation: () => ({
        start() {
          return 1;
        },
        carry(_record, _state, next) {
          next();
          next();
          throw new Error('carry');
        },
        end() {
          throw new Error('end');
        },
      }),
    });
    const skipping = observe({ name: 'skipping', operation: () => ({ start: () => 1, carry() {} }) });
    const throwing = observe({
      name: 'throwing',
      operation: () => ({
        start() {
          throw new Error('start');
        },
      }),
    });
    expect(operate('storage.get', entry, () => ++calls)).toBe(1);
    await expect(operate('storage.get', entry, async () => ++calls)).resolves.toBe(2);
    for (const subscription of [bad, skipping, throwing]) subscription[Symbol.dispose]();
    expect(calls).toBe(2);
    expect(observerFailures() - before).toBe(6);
  });

  test('is asked once per name, and again on refresh', () => {
    const asked: string[] = [];
    let wanted = false;
    let ends = 0;
    const picky = observe({
      name: 'picky',
      operation(name) {
        asked.push(name);
        return wanted ? { end: () => void ends++ } : undefined;
      },
    });
    operate('storage.list', entry, () => 1);
    operate('storage.list', entry, () => 1);
    expect(asked.filter((name) => name === 'storage.list')).toHaveLength(1);
    wanted = true;
    picky.refresh();
    operate('storage.list', entry, () => 1);
    picky[Symbol.dispose]();
    expect(ends).toBe(1);
  });

  test('carries its context once around the call, outermost first', () => {
    const order: string[] = [];
    const carrying = (name: string): Subscription =>
      observe({
        name,
        operation: () => ({
          start: () => name,
          carry: (_record, state, next) => {
            order.push(`in ${String(state)}`);
            next();
            order.push(`out ${String(state)}`);
          },
        }),
      });
    const subscriptions = [carrying('a'), carrying('b')];
    operate('storage.get', entry, () => void order.push('call'));
    for (const subscription of subscriptions) subscription[Symbol.dispose]();
    expect(order).toEqual(['in a', 'in b', 'call', 'out b', 'out a']);
  });

  test('sees any name, known to this copy or not', () => {
    operate('custom.thing' as never, { any: 1 } as never, () => 1);
    expect(seen.last()).toMatchObject({ name: 'custom.thing', start: { any: 1 } });
  });
});

describe('a promise that never settles', () => {
  test('ends its operation when the context is aborted', () => {
    const controller = new AbortController();
    run({ signal: controller.signal }, () => void operate('llm.call', call, () => new Promise(() => {})));
    sweep();
    expect(seen.ends).toHaveLength(0);
    controller.abort();
    sweep();
    expect(seen.last().outcome).toBe('cancelled');
    expect(openOperations()).toBe(0);
  });

  test('ends its operation at drain', () => {
    void operate('llm.call', call, () => new Promise(() => {}));
    expect(endOpen()).toBe(1);
    expect(seen.last().outcome).toBe('cancelled');
  });
});
