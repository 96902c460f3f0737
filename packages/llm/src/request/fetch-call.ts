import { isAnyArrayBuffer } from 'node:util/types';
import { current, headerOf } from '@sage-adk/core';
import { type Fetch, type LlmCall, openMark } from '../call.ts';
import { callerIn } from '../caller.ts';
import type { Api, Endpoint, RequestShape } from '../providers/api.ts';
import { apis } from '../providers/index.ts';
import { capPlace } from './cap-name.ts';
import { estimateTokens } from './estimate.ts';
import { type Change, hasNumber, readBody, type RequestBody, withMembers } from './request-body.ts';
import { type Asked, askedOf } from './request-shape.ts';
import { mayAskForUsage } from './usage-asked.ts';
import { ofCache, ofLongCache } from './words.ts';

/** A request that was recognised as a call of a model. */
export interface FetchCall extends LlmCall {
  readonly wire: Api;
  /** Makes the request. */
  readonly fetch: Fetch;
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
  /** Undefined where it is no JSON that could be read: then it is sent as it came, once. */
  readonly body: RequestBody | undefined;
  /** What the request itself asks for. */
  readonly asked: Asked;
  /** Whether usage in the stream has to be asked for, and hidden from who did not. */
  readonly asksForUsage: boolean;
  /** What the estimate of its input is multiplied by. */
  readonly margin: number | undefined;
}

/** A request whose path says that it is a call of a model. */
export interface Recognised {
  readonly wire: Api;
  readonly endpoint: Endpoint;
}

/** Recognises the call of a model by method and path; undefined for any other request. */
export function recognise(input: string | URL | Request, init: RequestInit | undefined): Recognised | undefined {
  const request = isRequest(input) ? input : undefined;
  const method = init?.method ?? request?.method ?? 'GET';
  if (method !== 'POST' && method.toUpperCase() !== 'POST') return undefined;
  if (input instanceof URL) return detected(input.pathname);
  const url = request === undefined ? (input as string) : request.url;
  if (url !== latest.url) latest = { url, recognised: detected(pathOf(url)) };
  return latest.recognised;
}

/** A process calls few URLs, and mostly one; to compare it takes a tenth of parsing it. */
let latest: { readonly url: string; readonly recognised: Recognised | undefined } = { url: '', recognised: undefined };

function detected(path: string): Recognised | undefined {
  for (const wire of apis) {
    const endpoint = wire.detect(path);
    if (endpoint !== undefined) return { wire, endpoint };
  }
  return undefined;
}

/** What a request is made with. */
type Made = Pick<FetchCall, 'fetch' | 'input' | 'init'>;

/** The call that a recognised request makes; a promise where its body has to be read first. */
export function toFetchCall(
  recognised: Recognised,
  made: Made,
  provider: string,
  margin = recognised.wire.request.tokenMargin,
): FetchCall | Promise<FetchCall> {
  const { input, init } = made;
  const body = init?.body;
  if (typeof body === 'string') return callOf(recognised, made, body, provider, margin);
  if (ArrayBuffer.isView(body)) {
    const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
    return callOf(recognised, made, text, provider, margin);
  }
  if (isAnyArrayBuffer(body)) return callOf(recognised, made, Buffer.from(body).toString(), provider, margin);
  if (body == null && isRequest(input) && input.body !== null && !input.bodyUsed) {
    return readText(input).then((text) => callOf(recognised, made, text, provider, margin));
  }
  return callOf(recognised, made, undefined, provider, margin);
}

function callOf(
  { wire, wire: { request }, endpoint }: Recognised,
  { fetch, input, init }: Made,
  text: string | undefined,
  provider: string,
  margin: number | undefined,
): FetchCall {
  const body = text === undefined ? undefined : readBody(text, request);
  const asked = askedOf(body, request);
  const stream = endpoint.stream ?? asked.stream;
  // All that has to be found out comes before the call is made: into one that is there already, each member is written with thirty bytes of code.
  const model = (wire.provider === 'openai' && asked.model) || endpoint.model || asked.model || 'unknown';
  const context = current();
  const own = signalOf(input, init);
  const caller = callerIn(context, own);
  const outer = openMark(context);
  const maxOutputTokens = request.hasNoOutput === true ? 0 : asked.maxOutputTokens;
  const repeatable = body !== undefined || !hasBody(input, init);
  const asksForUsage = stream && body !== undefined && lacksUsage(request, asked) && mayAskForUsage(input);
  return {
    wire,
    provider,
    api: wire.name,
    model,
    stream,
    signal: caller === undefined ? own : caller.signal,
    caller,
    outer,
    estimateInput,
    mayWriteCache,
    mayWriteLongCache,
    goesOn,
    maxOutputTokens,
    leastOutputTokens: asked.leastOutputTokens,
    choices: asked.choices,
    repeatable,
    fetch,
    input,
    init,
    body,
    asked,
    asksForUsage,
    margin,
    // What the steps add: calls and their copies are all of one shape.
    report: undefined,
    renew: undefined,
    watch: undefined,
    attemptSignal: caller?.signal,
  };
}

function lacksUsage({ usageOnRequest }: RequestShape, { wantsUsage }: Asked): boolean {
  return usageOnRequest === true && !wantsUsage;
}

// Of any call, and of its copies: each call has them as its own, so that they go with what is spread.

function estimateInput(this: FetchCall): number | undefined {
  return this.body && estimateTokens(this.body.text, this.body.members, this.margin);
}

/** Anthropic writes where it is told to, others as they see fit. */
function mayWriteCache(this: FetchCall): boolean {
  return this.wire.provider !== 'anthropic' || says(this, ofCache);
}

function mayWriteLongCache(this: FetchCall): boolean {
  return says(this, ofLongCache);
}

function goesOn(this: FetchCall): boolean {
  return this.asked.background;
}

/** Nobody knows what a body says that could not be read. */
function says({ body }: FetchCall, word: number): boolean {
  return body === undefined || (body.members.words & word) !== 0;
}

/** What `fetch` is called with: the request as it came, but for what has to be asked for. */
export function toRequest(call: FetchCall): readonly [input: string | URL | Request, init: RequestInit | undefined] {
  const { input, init, body, attemptSignal } = call;
  const changes = body === undefined ? none : changesOf(call, body);
  const sentBody = changes.length > 0 || isTaken(call) ? body && withMembers(body, changes) : undefined;
  if (sentBody === undefined && attemptSignal === undefined) return [input, init];
  const changed: RequestInit = { ...init };
  if (attemptSignal !== undefined) changed.signal = attemptSignal;
  if (sentBody !== undefined) {
    changed.body = sentBody;
    const headers = withoutLength(call);
    if (headers !== undefined) changed.headers = headers;
  }
  return [input, changed];
}

/** What the request has to say that it does not say itself. */
function changesOf(call: FetchCall, body: RequestBody): readonly Change[] {
  const caps = capsOf(call, body);
  return call.asksForUsage ? [[call.wire.request.places.includeUsage, true], ...caps] : caps;
}

function capsOf(call: FetchCall, body: RequestBody): readonly Change[] {
  const { maxOutputTokens, asked } = call;
  const { places } = call.wire.request;
  const said = asked.maxOutputTokens;
  if (maxOutputTokens === undefined || maxOutputTokens === (said ?? 0)) return none;
  if (said !== undefined) {
    return places.caps.filter((cap) => hasNumber(body, cap)).map((cap) => [cap, maxOutputTokens]);
  }
  // Where the member around it is there in another spelling, it goes into that one.
  const { spans } = body.members;
  const cap =
    places.caps.find(({ outer }) => outer !== undefined && spans[outer.index] !== undefined) ?? capPlace(call);
  return cap === undefined ? none : [[cap, maxOutputTokens]];
}

const none: readonly Change[] = [];

/** A header field of the request; undefined where it is missing. */
export function fieldOf({ input, init }: FetchCall, name: string): string | undefined {
  const headers = init?.headers ?? (isRequest(input) ? input.headers : undefined);
  if (headers === undefined) return undefined;
  return headerOf(Array.isArray(headers) ? new Headers(headers) : headers, name);
}

/** The body of a request, which stays as it is; undefined where it is larger than anybody would ask a model. */
async function readText(request: Request): Promise<string | undefined> {
  const reader = (request.clone().body as ReadableStream<Uint8Array>).getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks).toString();
    chunks.push(value);
    size += value.length;
    if (size <= mostBytes) continue;
    void reader.cancel();
    return undefined;
  }
}

const mostBytes = 64 * 1_024 * 1_024;

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === 'object' && 'url' in input;
}

function pathOf(url: string): string {
  return URL.parse(url)?.pathname ?? '';
}

function signalOf(input: FetchCall['input'], init: FetchCall['init']): AbortSignal | undefined {
  return init?.signal ?? (isRequest(input) ? input.signal : undefined);
}

/** The body of a request was taken when it was read. */
function isTaken({ input, init }: FetchCall): boolean {
  return init?.body == null && isRequest(input);
}

function hasBody(input: FetchCall['input'], init: FetchCall['init']): boolean {
  return init?.body != null || (isRequest(input) && input.body !== null);
}

/**
 * Undici refuses a length that is not that of the body, and a request that is passed on has one. Copying fields costs as much as sending them, so it is
 * done only there.
 */
function withoutLength(call: FetchCall): Headers | undefined {
  const headers = call.init?.headers ?? (isRequest(call.input) ? call.input.headers : undefined);
  if (headers === undefined || fieldOf(call, 'content-length') === undefined) return undefined;
  const others = new Headers(headers);
  others.delete('content-length');
  return others;
}
