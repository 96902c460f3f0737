import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseJson } from '../../src/body/json-text.ts';
import { SseParser } from '../../src/body/sse-parser.ts';
import { SseReader } from '../../src/body/stream-reader.ts';
import type { Api, StreamReader } from '../../src/providers/api.ts';
import { apis } from '../../src/providers/index.ts';
import { inPieces } from '../support/pieces.ts';

const runs = Number(process.env['SAGE_FUZZ_RUNS'] ?? 200);
const streaming = apis.filter((api) => 'readStream' in api);

/** An event with a text in it; `other` is a text or a number elsewhere. */
type Shape = (text: string, other: string | number) => string;

const shapes: Readonly<Record<string, readonly Shape[]>> = {
  chat: [
    (content) => chat({ content }, { model: 'gpt-4.1' }),
    (content, obfuscation) => chat({ content }, { usage: null, obfuscation }),
    (content, p) => chat({ content }, { p }),
    (content, other) => chat({ content, other }),
    (content, reasoning) => chat({ content, reasoning }),
    (reasoning_content) => chat({ content: null, reasoning_content }),
    (args) => chat({ tool_calls: [{ index: 0, function: { arguments: args } }] }),
    (args) => chat({ arguments: args, reasoning: 'because' }),
    (text) => chat({ content: [{ type: 'text', text }] }),
    (data, id) => chat({ audio: { id, data } }),
    (content, finish_reason) => chat({ content, finish_reason }),
    (content, completion_tokens) => chat({ content }, { usage: { prompt_tokens: 1, completion_tokens } }),
    (_, completion_tokens) => `data: ${JSON.stringify({ choices: [], usage: { completion_tokens } })}\n\n`,
    (content, error) => chat({ content }, { error }),
    (content) => chat({ content }).replace('delta', String.raw`\u0065rror`),
    (content, id) => chat({ content }).replace('\n\n', `\nid: ${id}\n\n`),
    () => 'data: [DONE]\n\n',
  ],
  completions: [
    (one) => completion({ text: one }, { model: 'gpt-3.5-turbo-instruct' }),
    (one) => completion({ text: one, logprobs: null, finish_reason: null }, { usage: null }),
    (one, finish_reason) => completion({ text: one, finish_reason }),
    (one, other) => completion({ text: one, logprobs: { tokens: [other], text_offset: [1] } }),
    (one, completion_tokens) => completion({ text: one }, { usage: { prompt_tokens: 1, completion_tokens } }),
    (_, completion_tokens) => `data: ${JSON.stringify({ choices: [], usage: { completion_tokens } })}\n\n`,
    (one, error) => completion({ text: one }, { error }),
    () => 'data: [DONE]\n\n',
  ],
  responses: [
    (delta, sequence_number) => named('response.output_text.delta', { sequence_number, delta, logprobs: [] }),
    (delta, obfuscation) => named('response.output_text.delta', { sequence_number: 7, delta, obfuscation }),
    (delta, sequence_number) => unnamed('response.reasoning.delta', { sequence_number, delta }),
    (delta) => named('response.partial_image', { delta }),
    (model, status) => named('response.created', { response: { model, status } }),
    (_, status) => named('response.completed', { response: { status, usage: { input_tokens: 1, output_tokens: 2 } } }),
    (message) => named('error', { message }),
  ],
  messages: [
    (text) => named('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
    (partial_json, index) => named('content_block_delta', { index, delta: { partial_json } }),
    (thinking, text) => named('content_block_delta', { delta: { thinking, text } }),
    (cited_text) => named('content_block_delta', { delta: { type: 'citations_delta', citation: { cited_text } } }),
    (text) => unnamed('content_block_delta', { index: 0, delta: { text } }),
    (model, input_tokens) => named('message_start', { message: { model, usage: { input_tokens } } }),
    (_, stop_reason) => named('message_delta', { delta: { stop_reason }, usage: { output_tokens: 3 } }),
    () => named('message_stop', {}),
    (message) => named('error', { error: { message } }),
  ],
  interactions: [
    (one, index) => interaction('step.delta', { index, delta: { type: 'text', text: one } }),
    (args, event_id) => interaction('step.delta', { event_id, delta: { type: 'arguments_delta', arguments: args } }),
    (one, total_input_tokens) =>
      interaction('step.delta', { delta: { text: one }, metadata: { total_usage: { total_input_tokens } } }),
    (one) => unnamed('step.delta', { event_type: 'step.delta', delta: { text: one } }),
    (one) => interaction('step.start', { step: { type: 'model_output', content: [{ type: 'text', text: one }] } }),
    (model, status) => interaction('interaction.created', { interaction: { model, status } }),
    (_, status) => interaction('interaction.completed', { interaction: { status, usage: { total_input_tokens: 1 } } }),
    (message) => interaction('error', { error: { message } }),
    () => 'event: done\ndata: [DONE]\n\n',
  ],
  generateContent: [
    (text) => `data: ${JSON.stringify({ candidates: [{ content: { parts: [{ text }] } }] })}\n\n`,
    (text, count) =>
      `data: ${JSON.stringify({ candidates: [{ text }], usageMetadata: { promptTokenCount: count } })}\n\n`,
    (text, finishReason) => `data: ${JSON.stringify({ candidates: [{ text, finishReason }] })}\n\n`,
  ],
};

const anywhere: readonly Shape[] = [
  (text) => `: ${JSON.stringify(text)}\n\n`,
  (text) => `data: {"delta":"${text}"\n\n`,
  (text) => `data:${JSON.stringify({ content: text })}\r\n\r\n`,
  (text) => `data: ${JSON.stringify({ content: text })}\ndata: 1\n\n`,
  (text) => `event: ${JSON.stringify(text)}\n\n`,
  (text) => `{"content":${JSON.stringify(text)}}\n`,
];

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 8 }),
  fc.constantFrom('', ' noon', 'usage', 'error', 'content', 'text', 'delta', 'obfuscation', 'model', 'citations_delta'),
  fc.constantFrom('"', '\\', '\n', '"usage":{"', '\\"error', '한', 'é', 'a":', '},"error":{'),
);

describe('reading the events of a stream', () => {
  test.each(streaming.map((api) => [api.name, api] as const))(
    '%s: says of a stream what reading each event alone says, however it is cut',
    (name, api) => {
      const shape = fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...(shapes[name] ?? [])) },
        { weight: 1, arbitrary: fc.constantFrom(...anywhere) },
      );
      const others = fc.oneof(fc.nat(1_000), text);
      // Several like the first: as they come.
      const some = fc
        .tuple(shape, fc.array(fc.tuple(text, others), { minLength: 1, maxLength: 6 }))
        .map(([make, texts]) => texts.map(([one, other]) => make(one, other)));
      const cuts = fc.oneof(
        fc.constant('events' as const),
        fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      );
      fc.assert(
        fc.property(fc.array(some, { maxLength: 6 }), cuts, fc.boolean(), (events, cut, hidesExtra) => {
          readsAsPlain(api, events.flat(), cut, hidesExtra);
        }),
        { numRuns: runs },
      );
    },
  );

  test.each([
    [
      'a name that ends where the text does',
      (text: string) => `data: {"content":"${text}":"stop"}\n\n`,
      'finish_reason',
    ],
    ['a name with escapes', (text: string) => `data: {"\\u0065rror":1,"content":"${text}"}\n\n`, 'error'],
    ['a line that ends in the text', (text: string) => `data: {"content":"${text}"}\n\n`, 'ab\ncd'],
    ['a line that ends behind a backslash', (text: string) => `data: {"content":"${text}"}\n\n`, 'ab\\\ncd'],
    ['JSON outside of an event', (text: string) => `{"a":1}\ndata: {"content":"${text}"}\n\n`, 'text'],
  ])('%s: is seen in an event that is like the one before', (_, make, text) => {
    const chat = streaming.find(({ name }) => name === 'chat') as Api;
    readsAsPlain(chat, ['data: {"content":"one"}\n\n', make('two'), make('three'), make(text)], 'events', true);
  });

  test('looks at few of the events that are alike, and at none of what they say', () => {
    for (const [name, [make]] of Object.entries(shapes)) {
      const api = streaming.find((one) => one.name === name) as Api;
      const stream = streamOf(api);
      if (stream.pieceIn === undefined || make === undefined) continue;
      let looked = 0;
      const read = stream.read.bind(stream);
      stream.read = (type, data) => (looked++, read(type, data));
      const reader = new SseReader(stream, { hidesExtra: true });
      for (let n = 1; n <= 100; n++) reader.write(Buffer.from(make(`"word" ${n}`, n)));
      expect([name, looked, reader.contents, reader.contentBytes]).toEqual([name, 1, 100, 1_092]);
    }
  });

  test('gives up to learn where no event is like the one before', () => {
    const stream = streamOf(streaming.find(({ name }) => name === 'chat') as Api);
    let learnt = 0;
    const pieceIn = stream.pieceIn?.bind(stream);
    stream.pieceIn = (data) => (learnt++, pieceIn?.(data));
    const reader = new SseReader(stream, { hidesExtra: true });
    for (let n = 1; n <= 100; n++) reader.write(Buffer.from(chat({ content: 'word', n })));
    expect([learnt, reader.contents]).toEqual([4, 100]);
  });
});

function readsAsPlain(
  api: Api,
  events: readonly string[],
  lengths: readonly number[] | 'events',
  hidesExtra: boolean,
): void {
  const plain = new PlainReader(api);
  const reader = new SseReader(streamOf(api), { hidesExtra });
  const passed: Uint8Array[] = [];
  for (const piece of inPieces(events, lengths)) {
    plain.write(piece.toString('latin1'));
    passed.push(reader.write(piece) ?? new Uint8Array());
    expect(factsOf(reader)).toEqual(factsOf(plain));
  }
  plain.end();
  passed.push(reader.end() ?? new Uint8Array());
  expect(factsOf(reader)).toEqual(factsOf(plain));
  const seen = eventsOf(Buffer.concat(passed).toString());
  const sent = eventsOf(events.join(''));
  expect(seen).toEqual(hidesExtra ? sent.filter((event) => !plain.extra.includes(event)) : sent);
}

/** Reads each event alone. */
class PlainReader {
  readonly #stream: StreamReader;
  readonly #parser: SseParser;
  readonly extra: string[] = [];
  #latest = '';
  #begunMalformed = false;
  whole = false;
  contents = 0;
  problem: string | undefined;

  constructor(api: Api) {
    this.#stream = streamOf(api);
    this.#parser = new SseParser((type, data) => this.#read(type, data));
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    if (this.#stream.finished) this.whole = true;
    const rest = this.#parser.rest();
    const isRead = rest !== undefined && !this.#begunMalformed && !isMalformed(rest.data);
    if (isRead && this.#stream.read(rest.type, rest.data) === 'error' && !this.whole) this.problem ??= rest.data;
    if (!this.whole && this.#parser.stray !== '') this.problem ??= this.#parser.stray;
  }

  get finished(): boolean {
    return this.whole || this.#stream.finished;
  }

  get contentBytes(): number {
    return this.#stream.contentBytes;
  }

  facts(): unknown {
    return this.#stream.facts();
  }

  isMalformed(): boolean {
    return this.#begunMalformed || isMalformed(this.#latest);
  }

  #read(type: string, data: string): void {
    this.#latest = data;
    if (this.contents === 0 && isMalformed(data)) this.#begunMalformed = true;
    const kind = this.#begunMalformed ? undefined : this.#stream.read(type, data);
    if (kind === 'content') this.contents++;
    if (kind === 'end') this.whole = true;
    if (kind === 'error') this.problem ??= data;
    if (kind === 'extra') this.extra.push(`${type}: ${Buffer.from(data, 'latin1').toString()}`);
  }
}

function eventsOf(text: string): readonly string[] {
  const events: string[] = [];
  new SseParser((type, data) => void events.push(`${type}: ${data}`)).write(text);
  return events;
}

function factsOf(reader: Omit<SseReader | PlainReader, 'write'>): unknown {
  const { contents, contentBytes, whole, finished, problem } = reader;
  return { contents, contentBytes, whole, finished, problem, isMalformed: reader.isMalformed(), facts: reader.facts() };
}

function isMalformed(data: string): boolean {
  return data !== '' && data !== '[DONE]' && parseJson(data) === undefined;
}

function streamOf(api: Api): StreamReader {
  return api.readStream?.(1) as StreamReader;
}

function chat(delta: object, more: object = {}): string {
  return `data: ${JSON.stringify({ id: 'chatcmpl-1', choices: [{ index: 0, delta }], ...more })}\n\n`;
}

function completion(choice: object, more: object = {}): string {
  return `data: ${JSON.stringify({ id: 'cmpl-1', choices: [{ index: 0, ...choice }], ...more })}\n\n`;
}

function interaction(event_type: string, value: object): string {
  return `event: ${event_type}\ndata: ${JSON.stringify({ ...value, event_type })}\n\n`;
}

function named(type: string, value: object): string {
  return `event: ${type}\n${unnamed(type, value)}`;
}

function unnamed(type: string, value: object): string {
  return `data: ${JSON.stringify({ type, ...value })}\n\n`;
}
