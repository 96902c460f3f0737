/** What the real clients make of answers that begin well, and what the provider notes about them. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import { type Behaviour, type BytePlace, createFaultyProvider } from '../../src/testing/index.ts';
import { type Client, clientsOf, type Heard } from './support/clients.ts';

const provider = await createFaultyProvider();
const clients = clientsOf(provider.url);
beforeEach(() => provider.reset());
afterAll(() => provider.close());

const text = 'one two three four';

describe.each(clients)('$name', (client) => {
  test.each(['complete', 'stream'] as const)(
    '%s: a connection that ends before the status is a broken socket',
    async (way) => {
      const { error } = await outcomeOf(client, { hangUp: true }, way);
      expect(traceOf(error)).toContain('UND_ERR_SOCKET');
      expect(provider.requests[0]).toMatchObject({ outcome: 'cut', status: undefined, billed: { inputTokens: 0 } });
    },
  );

  test.each<readonly [BytePlace, number]>([
    [0, 0],
    [{ contents: 0 }, 0],
    [{ contents: 1 }, 1],
    [{ contents: 3 }, 3],
    [{ bytes: 0 }, 0],
    [{ bytes: 30 }, 0],
  ])('a stream that is cut after %j breaks after %i pieces', async (cutAfter, pieces) => {
    const { error, texts } = await outcomeOf(client, { text, cutAfter }, 'stream');
    expect(traceOf(error)).toContain('terminated');
    expect(texts).toEqual(['one ', 'two ', 'three ', 'four'].slice(0, pieces));
    expect(provider.requests[0]).toMatchObject({
      outcome: 'cut',
      status: 200,
      ...(!JSON.stringify(cutAfter).includes('bytes') && { contents: pieces }),
    });
  });

  test('an answer that is cut in its JSON breaks', async () => {
    const { error } = await outcomeOf(client, { cutAfter: { bytes: 50 } }, 'complete');
    expect(traceOf(error)).toContain('terminated');
    expect(provider.requests[0]?.outcome).toBe('cut');
  });

  test('a stream that ends too early, in good order, is not a whole answer', async () => {
    const { error, heard, texts } = await outcomeOf(client, { text, endAfter: { contents: 2 } }, 'stream');
    expect(texts.join('')).toBe('one two ');
    // Two clients throw, one says that the response is in progress, one says nothing at all, and the AI SDK calls it interrupted.
    if (error === undefined) expect([undefined, 'in_progress', 'interrupted']).toContain(heard?.finish);
    expect(provider.requests[0]).toMatchObject({ outcome: 'cut', contents: 2, billed: { outputTokens: 2 } });
  });

  test('half an event is broken JSON', async () => {
    const { error, texts } = await outcomeOf(client, { text, malformedAt: { contents: 2 } }, 'stream');
    expect(traceOf(error)).toMatch(/JSON/);
    expect(texts).toEqual(['one ', 'two ']);
  });

  test('half an answer is broken JSON', async () => {
    const { error } = await outcomeOf(client, { malformedAt: 0 }, 'complete');
    expect(traceOf(error)).toMatch(/JSON/);
  });

  test('an empty body is no answer', async () => {
    const whole = await outcomeOf(client, { emptyBody: true }, 'complete');
    expect(whole.error).toBeDefined();
    const streamed = await outcomeOf(client, { emptyBody: true }, 'stream');
    if (streamed.error === undefined) expect(streamed.heard).toMatchObject({ text: '' });
    expect(['stop', 'STOP', 'completed', 'end_turn']).not.toContain(streamed.heard?.finish);
  });

  test.each<readonly [number, BytePlace]>([
    [0, 0],
    [0, { contents: 0 }],
    [2, { contents: 2 }],
  ])('an error after %i pieces, in a stream that began with 200, is that error', async (pieces, errorEventAt) => {
    const { error, texts } = await outcomeOf(client, { text, errorEventAt: errorEventAt as number }, 'stream');
    expect(texts).toHaveLength(pieces);
    expect(traceOf(error)).toMatch(/overloaded/i);
    expect(provider.requests[0]).toMatchObject({ outcome: 'cut', status: 200, contents: pieces });
  });

  test('the error in a stream can be any other', async () => {
    const { error } = await outcomeOf(client, { error: 'quota', errorEventAt: { contents: 1 } }, 'stream');
    expect(traceOf(error)).toMatch(/quota|credit balance/);
  });

  test('the other form of an error in a stream is no whole answer either', async () => {
    const { error, heard, texts } = await outcomeOf(
      client,
      { text, errorEventAt: { contents: 2 }, errorForm: 'ending' },
      'stream',
    );
    expect(texts).toEqual(['one ', 'two ']);
    if (error === undefined) expect(['failed', 'interrupted']).toContain(heard?.finish);
  });

  test('a stream that stalls waits until the client gives up', async () => {
    const giveUp = new AbortController();
    const { error, texts } = await outcomeOf(client, { text, stallAfter: { contents: 2 }, keepAliveMs: 1 }, 'stream', {
      signal: giveUp.signal,
      onText: (count) => count === 2 && setTimeout(() => giveUp.abort(), 10),
    });
    expect(traceOf(error)).toMatch(/abort/i);
    expect(texts).toEqual(['one ', 'two ']);
    expect(provider.requests[0]).toMatchObject({ outcome: 'aborted', contents: 2, billed: { outputTokens: 2 } });
  });

  test('a provider that never answers waits until the client gives up', async () => {
    const giveUp = new AbortController();
    const asking = outcomeOf(client, { latencyMs: Number.POSITIVE_INFINITY }, 'complete', { signal: giveUp.signal });
    while (provider.counters.open === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    giveUp.abort();
    expect(traceOf((await asking).error)).toMatch(/abort/i);
    expect(provider.requests[0]).toMatchObject({ outcome: 'aborted', status: undefined, billed: { inputTokens: 0 } });
  });
});

describe('the bytes of a stream', () => {
  const open = async (behaviour: Behaviour, signal?: AbortSignal): Promise<Response> => {
    provider.next({ text, ...behaviour });
    return fetch(`${provider.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true, messages: [] }),
      ...(signal !== undefined && { signal }),
    });
  };

  test('a stream that never ends says everything and stays open', async () => {
    const giveUp = new AbortController();
    const { body } = await open({ neverEnd: true }, giveUp.signal);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('[DONE]')) heard += (await reader?.read())?.value ?? '';
    const more = reader?.read().then(
      ({ done }) => (done ? 'ended' : 'said more'),
      () => 'aborted',
    );
    expect(await Promise.race([more, new Promise((resolve) => setTimeout(() => resolve('open'), 15))])).toBe('open');
    expect(provider.counters.open).toBe(1);
    giveUp.abort();
    expect(await more).toBe('aborted');
    await provider.idle();
    expect(provider.requests[0]?.outcome).toBe('aborted');
  });

  test('an endless stream goes on until the client leaves, and is billed by what was sent', async () => {
    const giveUp = new AbortController();
    const { body } = await open({ endless: true }, giveUp.signal);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (heard.length < 100_000) heard += (await reader?.read())?.value ?? '';
    giveUp.abort();
    await reader?.closed.catch(() => {});
    await provider.idle();
    const [request] = provider.requests;
    expect(request?.outcome).toBe('aborted');
    expect(request?.contents).toBeGreaterThan(100);
    expect(request?.billed.outputTokens).toBe(request?.contents);
  });

  test('a client that does not read makes the provider wait, not gather', async () => {
    const giveUp = new AbortController();
    await open({ endless: true }, giveUp.signal);
    let before = -1;
    for (let sent = 0; sent !== before; sent = provider.requests[0]?.events ?? 0) {
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    giveUp.abort();
    await provider.idle();
    // What the sockets hold between them, and no more.
    expect(before * 200).toBeLessThan(32 * 1_024 * 1_024);
  });

  test('comments keep a stalled stream alive', async () => {
    const giveUp = new AbortController();
    const { body } = await open({ stallAfter: 2, keepAliveMs: 1 }, giveUp.signal);
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.endsWith(': keep-alive\n\n: keep-alive\n\n')) heard += (await reader?.read())?.value ?? '';
    expect(heard.match(/data: /g)).toHaveLength(2);
    giveUp.abort();
    await provider.idle();
  });

  test('another content type says so', async () => {
    const response = await open({ contentType: 'text/html' });
    expect(response.headers.get('content-type')).toBe('text/html');
    expect(await response.text()).toContain('[DONE]');
  });

  test('an empty body has a length of 0', async () => {
    const response = await open({ emptyBody: true, status: 500 });
    expect(response.status).toBe(500);
    expect(response.headers.get('content-length')).toBe('0');
    expect(await response.text()).toBe('');
  });

  test('a body in pieces goes over the wire in pieces of that size, and is the same body', async () => {
    const whole = await (await open({})).text();
    provider.reset();
    provider.next({ text, chunkBytes: 5 });
    const socket = connect(Number(new URL(provider.url).port), '127.0.0.1');
    const head =
      'POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: 28\r\n\r\n';
    socket.write(`${head}{"model":"m","stream": true}`);
    let raw = '';
    for await (const piece of socket.setEncoding('latin1')) raw += String(piece);
    const chunks = [
      ...raw.slice(raw.indexOf('\r\n\r\n') + 4).matchAll(/([0-9a-f]+)\r\n([^]*?)\r\n(?=[0-9a-f]+\r\n|$)/g),
    ];
    expect(chunks.slice(0, -2).every(([, size]) => size === '5')).toBe(true);
    const told = (stream: string) => stream.replace(/"created":\d+/g, '');
    expect(told(chunks.map(([, , bytes]) => bytes).join(''))).toBe(told(whole));
  });
});

describe('time', () => {
  const clock = createFakeClock();
  let slow = provider;
  beforeEach(async () => {
    slow = await createFaultyProvider({ text, clock });
  });
  afterEach(() => slow.close());

  const ask = (signal?: AbortSignal) =>
    fetch(`${slow.url}/v1/messages`, {
      method: 'POST',
      body: JSON.stringify({ model: 'm', stream: true }),
      ...(signal !== undefined && { signal }),
    });
  const timerIsSet = async (): Promise<void> => {
    while (clock.pending === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  };

  test('the status comes after the latency', async () => {
    slow.always({ latencyMs: 300 });
    const asking = ask();
    await timerIsSet();
    clock.advance(299);
    expect(slow.requests[0]?.status).toBeUndefined();
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect((await asking).status).toBe(200);
  });

  test('tokens come slowly', async () => {
    slow.always({ tokenDelayMs: 100 });
    const reading = ask().then((response) => response.text());
    for (let sent = 0; sent < 4; sent++) {
      await timerIsSet();
      expect(slow.requests[0]?.contents).toBe(sent);
      clock.advance(100);
    }
    expect(await reading).toContain('message_stop');
  });

  test.each<[string, Behaviour]>([
    ['a latency', { latencyMs: 60_000 }],
    ['a pause between tokens', { tokenDelayMs: 60_000 }],
    ['the comments of a stall', { stallAfter: 1, keepAliveMs: 60_000 }],
  ])('%s leaves no timer when the client leaves', async (_name, behaviour) => {
    slow.always(behaviour);
    const giveUp = new AbortController();
    const reading = ask(giveUp.signal).then((response) => response.text());
    await timerIsSet();
    giveUp.abort();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
    await slow.idle();
    expect(clock.pending).toBe(0);
    expect(slow.counters).toMatchObject({ aborted: 1, open: 0 });
  });

  test('closing leaves no timer either, and counts what it cut', async () => {
    slow.always({ latencyMs: 60_000 });
    const asking = ask();
    await timerIsSet();
    await Promise.all([slow.close(), expect(asking).rejects.toThrow('fetch failed')]);
    await slow.idle();
    expect(clock.pending).toBe(0);
    expect(slow.counters).toMatchObject({ cut: 1, aborted: 0, open: 0 });
  });
});

interface Seen {
  readonly error: unknown;
  readonly heard: Heard | undefined;
  readonly texts: readonly string[];
}

async function outcomeOf(
  client: Client,
  behaviour: Behaviour,
  way: 'complete' | 'stream',
  { signal, onText = () => {} }: { readonly signal?: AbortSignal; readonly onText?: (count: number) => unknown } = {},
): Promise<Seen> {
  provider.next(behaviour);
  const texts: string[] = [];
  const asked = signal === undefined ? {} : { signal };
  const listen = (piece: string) => void onText(texts.push(piece));
  const { error, heard } = await client[way](asked, listen).then(
    (answer) => ({ error: undefined, heard: answer }),
    (failure: unknown) => ({ error: failure, heard: undefined }),
  );
  await provider.idle();
  return { error, heard, texts };
}

/** Names, messages and codes of an error and its causes, whatever realm they are of. */
function traceOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, message, code, cause } = error as Record<string, unknown>;
  return [name, message, code, cause === undefined ? '' : traceOf(cause)].join(' ');
}
