import { describe, expect, test } from '@jest/globals';
import type { SageError } from '../../src/errors/sage-error.ts';
import { type CommandOptions, createScriptRunner, defineScript, type RedisCommands } from '../../src/redis/index.ts';
import { createFakeClock } from '../../src/testing/fake-clock.ts';

const script = defineScript({ lua: "return redis.call('GET', KEYS[1])", name: 'read', numberOfKeys: 1 });

type Call = readonly [command: 'evalSha' | 'eval', script: string, keys: string[], args: string[]];

/** A client that answers each command by `answer` and remembers what it was asked. */
function client(answer: (call: Call) => unknown, extra: Partial<RedisCommands> = {}) {
  const calls: Call[] = [];
  const say = async (...call: Call) => {
    calls.push(call);
    return answer(call);
  };
  return {
    calls,
    isReady: true,
    evalSha: (sha: string, o: { keys: string[]; arguments: string[] }) => say('evalSha', sha, o.keys, o.arguments),
    eval: (lua: string, o: { keys: string[]; arguments: string[] }) => say('eval', lua, o.keys, o.arguments),
    ...extra,
  };
}

const unknownScript = () => new Error('NOSCRIPT No matching script. Please use EVAL.');
const fail = (error: Error) => () => Promise.reject(error);
const never = () => new Promise(() => {});

describe('a script', () => {
  test('knows its digest and gets a name from it', () => {
    const { sha, name } = defineScript({ lua: 'return 1' });

    expect([sha, name]).toEqual(['e0e1f9fabfc9d4800c877a703b823ac0578ff8db', 'e0e1f9fa']);
  });

  test('refuses another number of keys than it declares, and sends nothing', async () => {
    const redis = client(() => 1);

    await expect(createScriptRunner({ client: redis }).run(script, [])).rejects.toThrow(
      'The script read takes 1 keys and was given 0.',
    );
    expect(redis.calls).toEqual([]);
  });
});

describe('script runner', () => {
  test('runs a script by its digest and returns the reply', async () => {
    const redis = client(() => 'value');

    expect(await createScriptRunner({ client: redis }).run(script, ['key'], ['a', 'b'])).toBe('value');
    expect(redis.calls).toEqual([['evalSha', script.sha, ['key'], ['a', 'b']]]);
  });

  test('sends the source once where the server does not know the digest', async () => {
    const redis = client(([command]) => (command === 'eval' ? 'value' : Promise.reject(unknownScript())));

    expect(await createScriptRunner({ client: redis }).run(script, ['key'], ['a'])).toBe('value');
    expect(redis.calls).toEqual([
      ['evalSha', script.sha, ['key'], ['a']],
      ['eval', script.lua, ['key'], ['a']],
    ]);
  });

  test('fails at once while the client is not connected, and sends nothing', async () => {
    const redis = client(() => 1, { isReady: false });

    await expect(createScriptRunner({ client: redis }).run(script, ['key'])).rejects.toMatchObject({
      code: 'SAGE_REDIS_NOT_READY',
      category: 'transient',
    });
    expect(redis.calls).toEqual([]);
  });

  test('answers at its deadline where the server does not', async () => {
    const clock = createFakeClock();
    const running = createScriptRunner({ client: client(never), deadlineMs: 30, clock }).run(script, ['key']);
    const seen = expect(running).rejects.toMatchObject({
      code: 'SAGE_REDIS_DEADLINE',
      category: 'transient',
      outcome: 'timeout',
      message: 'Redis did not answer within 30 ms; whether it ran the script is unknown.',
    });

    await clock.advanceAsync(29);
    expect(clock.pending).toBe(1);
    await clock.advanceAsync(1);
    await seen;
    expect(clock.pending).toBe(0);
  });

  test('takes an answer that came in time but waited behind a blocked event loop', async () => {
    const clock = createFakeClock();
    let answer: (value: unknown) => void = () => {};
    const redis = client(() => new Promise((resolve) => (answer = resolve)));
    const running = createScriptRunner({ client: redis, deadlineMs: 30, clock }).run(script, ['key']);

    clock.advance(31);
    answer('value');

    expect(await running).toBe('value');
  });

  test('does not send the source after its deadline', async () => {
    const clock = createFakeClock();
    let refuse: (error: Error) => void = () => {};
    const redis = client(() => new Promise((_, reject) => (refuse = reject)));
    const running = createScriptRunner({ client: redis, clock }).run(script, ['key']);
    const seen = expect(running).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' });

    await clock.advanceAsync(50);
    await seen;
    refuse(unknownScript());
    await clock.advanceAsync(0);

    expect(redis.calls.map(([command]) => command)).toEqual(['evalSha']);
  });

  test('a late refusal is no unhandled rejection', async () => {
    const unhandled: unknown[] = [];
    const listen = (error: unknown) => void unhandled.push(error);
    process.on('unhandledRejection', listen);
    const clock = createFakeClock();
    let refuse: (error: Error) => void = () => {};
    const redis = client(() => new Promise((_, reject) => (refuse = reject)));
    const running = createScriptRunner({ client: redis, clock }).run(script, ['key']);
    const seen = expect(running).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' });

    await clock.advanceAsync(50);
    await seen;
    refuse(new Error('Socket closed unexpectedly'));
    await clock.advanceAsync(0);
    process.off('unhandledRejection', listen);

    expect(unhandled).toEqual([]);
  });

  test('ends with the reason of the signal, at once', async () => {
    const clock = createFakeClock();
    const controller = new AbortController();
    const scripts = createScriptRunner({ client: client(never), clock });
    const running = scripts.run(script, ['key'], [], { signal: controller.signal });
    const reason = new Error('the caller went away');
    controller.abort(reason);

    await expect(running).rejects.toBe(reason);
    await expect(scripts.run(script, ['key'], [], { signal: controller.signal })).rejects.toBe(reason);
    expect(clock.pending).toBe(0);
  });

  test.each([
    ['READONLY You can not write against a read only replica.', 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['BUSY Redis is busy running a script.', 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['CLUSTERDOWN The cluster is down', 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['Socket closed unexpectedly', 'SAGE_REDIS_UNAVAILABLE', 'transient', true],
    ['read ECONNRESET', 'SAGE_REDIS_UNAVAILABLE', 'transient', true],
    ['Connection is closed.', 'SAGE_REDIS_UNAVAILABLE', 'transient', true],
    ["Stream isn't writeable and enableOfflineQueue options is false", 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['The client is offline', 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['The queue is full', 'SAGE_REDIS_UNAVAILABLE', 'transient', false],
    ['ERR user_script:1: Unknown Redis command', 'SAGE_REDIS_SCRIPT_FAILED', 'permanent', false],
    [
      'WRONGTYPE Operation against a key holding the wrong kind of value',
      'SAGE_REDIS_SCRIPT_FAILED',
      'permanent',
      false,
    ],
    ["CROSSSLOT Keys in request don't hash to the same slot", 'SAGE_REDIS_SCRIPT_FAILED', 'permanent', false],
  ])('%s is %s, and tells whether it may have run', async (message, code, category, sent) => {
    const cause = new Error(message);

    const details = { script: 'read', reason: message, ...(sent && { sent }) };
    const running = createScriptRunner({ client: client(fail(cause)) }).run(script, ['key']);
    const error: unknown = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code, category, cause });
    expect((error as SageError).details).toEqual(details);
  });

  test('has the client drop what it has not sent when the time is over, and keeps its own reply types', async () => {
    const clock = createFakeClock();
    const given: CommandOptions[] = [];
    const redis = client(() => 'from the outer client', {
      withCommandOptions: (options) => {
        given.push(options);
        return client(never);
      },
    });
    const running = createScriptRunner({ client: redis, deadlineMs: 20, clock }).run(script, ['key']);
    const seen = expect(running).rejects.toMatchObject({ code: 'SAGE_REDIS_DEADLINE' });

    await clock.advanceAsync(19);
    expect(given).toMatchObject([{ abortSignal: { aborted: false }, timeout: 0, typeMapping: {} }]);
    await clock.advanceAsync(1);
    await seen;
    expect(given).toMatchObject([{ abortSignal: { aborted: true } }]);
  });

  test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a deadline of %p ms', (deadlineMs) => {
    expect(() => createScriptRunner({ client: client(never), deadlineMs })).toThrow('The option deadlineMs is');
  });
});
