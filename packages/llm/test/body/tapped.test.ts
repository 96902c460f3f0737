import { setTimeout } from 'node:timers/promises';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { PlainReader } from '../../src/body/answer-reader.ts';
import { Exchange } from '../../src/body/exchange.ts';
import type { Ending } from '../../src/body/progress.ts';
import { tapped } from '../../src/body/tapped.ts';

const text = '\u{feff}{"said":"caf\u00e9 \u{1f600}"}';

/** In pieces that cut letters in two. */
function original(): Response {
  const bytes = Buffer.from(text);
  const pieces = [bytes.subarray(0, 15), bytes.subarray(15, 20), bytes.subarray(20)];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(new Uint8Array(piece));
    },
  });
  return new Response(body, { status: 201, headers: { 'content-type': 'application/json', 'x-request-id': 'req_1' } });
}

function tap(response = original()) {
  const endings: Ending[] = [];
  const exchange = new Exchange({
    body: response.body,
    signal: undefined,
    reader: new PlainReader(),
    failure: (kind) => new Error(kind),
  });
  exchange.onEnd((ending) => void endings.push(ending));
  return { response: tapped(response, exchange), endings };
}

/** Only the response may keep what hears it. */
function readOnce() {
  const response = original();
  const exchange = new Exchange({ body: response.body, reader: new PlainReader(), failure: (kind) => new Error(kind) });
  return { response: tapped(response, exchange), heard: new WeakRef(exchange) };
}

const ways: readonly (readonly [name: string, read: (response: Response) => Promise<unknown>])[] = [
  ['text', (response) => response.text()],
  ['json', (response) => response.json()],
  ['bytes', (response) => response.bytes()],
  ['arrayBuffer', (response) => response.arrayBuffer()],
  ['blob', async (response) => [await (await response.blob()).text()]],
  ['the stream', (response) => read(response.body)],
  ['the stream, through another', (response) => read(response.body?.pipeThrough(new TransformStream()))],
  ['the stream, as it iterates', (response) => iterate(response.body)],
  ['another response', (response) => new Response(response.body, response).text()],
  ['a clone', (response) => Promise.all([response.clone().text(), response.text()])],
  ['text, once its stream was looked at', (response) => (response.body === null ? Promise.resolve() : response.text())],
];

describe('a response that is heard', () => {
  test.each(ways)('gives what it would give otherwise, read as %s, and ends once', async (_name, readAs) => {
    const { response, endings } = tap();
    expect([await readAs(response), response.bodyUsed]).toEqual([await readAs(original()), true]);
    expect(endings).toEqual([{ kind: 'done' }]);
  });

  test('says all that it said', () => {
    const before = original();
    const { response } = tap(before);
    expect(response).toBeInstanceOf(Response);
    expect(response.constructor).toBe(Response);
    expect(inspect(response)).toMatch(/^Response \{\s+status: 201,/);
    const said = ['status', 'statusText', 'ok', 'headers', 'url', 'redirected', 'type', 'bodyUsed'] as const;
    for (const name of said) expect([name, response[name]]).toEqual([name, before[name]]);
    expect(response.headers).toBe(before.headers);
    expect(response.body).toBe(response.body);
    expect(response.body).toBeInstanceOf(ReadableStream);
  });

  test('says what the response says of its own, as mocks do', async () => {
    const mocked = Object.defineProperty(new Response(text, { status: 202 }), 'url', { value: 'https://mocked.test/' });
    const { response, endings } = tap(mocked);
    expect([response.url, response.status, await response.text()]).toEqual([
      'https://mocked.test/',
      202,
      await original().text(),
    ]);
    expect(endings).toEqual([{ kind: 'done' }]);
  });

  test.each(ways.slice(0, 7))('can be read once, as %s', async (_name, readAs) => {
    const { response } = tap();
    await readAs(response);
    await expect(response.text()).rejects.toThrow(TypeError);
    expect(() => response.clone()).toThrow(TypeError);
  });

  test('keeps nothing of what heard it, once all was read', async () => {
    const { response, heard } = readOnce();
    await response.text();
    for (let turn = 0; turn < 200 && heard.deref() !== undefined; turn++) {
      // Who asks for it keeps it until the end of that turn.
      await setTimeout(5);
      globalThis.gc?.();
    }
    expect([heard.deref(), response.bodyUsed]).toEqual([undefined, true]);
  });

  test('cannot be read by two at once', async () => {
    const { response } = tap();
    const reader = response.body?.getReader();
    await expect(response.json()).rejects.toThrow(TypeError);
    expect(response.body?.locked).toBe(true);
    reader?.releaseLock();
    await expect(reader?.read()).rejects.toMatchObject({ name: 'TypeError' });
    const whole = response.text();
    expect([response.body?.locked, response.bodyUsed]).toEqual([true, true]);
    expect(await whole).toBe(await original().text());
  });

  test('gives who asks for several pieces at once each in its turn, and then says that it ended', async () => {
    const { response } = tap();
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const reads = await Promise.all(Array.from({ length: 5 }, () => reader.read()));
    expect(Buffer.concat(reads.flatMap(({ value }) => value ?? [])).toString()).toBe(text);
    expect(reads.map(({ done }) => done)).toEqual([false, false, false, true, true]);
    await expect(reader.closed).resolves.toBeUndefined();
  });

  test('that is no JSON says so as it would otherwise', async () => {
    const { response, endings } = tap(new Response('{'));
    await expect(response.json()).rejects.toThrow(SyntaxError);
    expect(endings).toEqual([{ kind: 'done' }]);
  });

  test('and is heard by another layer ends for both', async () => {
    const inner = tap();
    const outer = tap(inner.response);
    expect(await outer.response.text()).toBe(await original().text());
    expect([...inner.endings, ...outer.endings]).toEqual([{ kind: 'done' }, { kind: 'done' }]);
  });
});

async function read(body: ReadableStream<Uint8Array> | null | undefined): Promise<string> {
  const reader = body?.getReader();
  let said = '';
  for (let one = await reader?.read(); one?.value !== undefined; one = await reader?.read()) {
    said += Buffer.from(one.value).toString('latin1');
  }
  return said;
}

async function iterate(body: ReadableStream<Uint8Array> | null): Promise<string> {
  let said = '';
  for await (const piece of body ?? []) said += Buffer.from(piece).toString('latin1');
  return said;
}
