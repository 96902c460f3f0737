import { type Clock, systemClock } from '../clock.ts';
import type {
  LlmCallOptions,
  LlmEvent,
  LlmFinish,
  LlmProvider,
  LlmRequest,
  LlmResponse,
  LlmToolCall,
  Usage,
} from '../contracts/llm.ts';
import { sleep } from '../deadline/sleep.ts';
import { requireNumber, requireWhole } from '../errors/options.ts';
import { testingErrors } from './errors.ts';
import {
  countWords,
  firstWords,
  lastUserText,
  type ScriptCall,
  type ScriptedAnswer,
  type ScriptedFault,
  type ScriptRule,
  wordsOf,
} from './script.ts';

export interface ScriptedLlmOptions {
  /** Where none fits, the model echoes the last user message. @default [] */
  readonly rules?: readonly ScriptRule[];
  /** Name of the provider. @default 'scripted' */
  readonly name?: string;
  /** The model that answers. @default the one that was asked for */
  readonly model?: string;
  /** Milliseconds between two pieces of a stream. @default 0 */
  readonly pieceDelayMs?: number;
  /** How many of the latest requests `requests` keeps. @default 100 */
  readonly keepRequests?: number;
  readonly clock?: Clock;
}

/** A model without a model: it answers by rules, the same each time, and fails when it is told to. */
export interface ScriptedLlm extends LlmProvider {
  /** The latest requests, oldest first. */
  readonly requests: readonly LlmRequest[];
  /** Calls so far. */
  readonly calls: number;
  /** The next calls fail with `error` before their first piece. */
  failNext(error: unknown, times?: number): void;
  /** The next calls stall after so many pieces, until their signal aborts. */
  stallAfter(pieces: number, times?: number): void;
  /** The next calls are cut after so many pieces: no finish, no usage. */
  cutAfter(pieces: number, times?: number): void;
  /** Takes back what the three above ordered. */
  heal(): void;
}

/**
 * Makes a scripted model. A token is a word: usage counts the words of all messages and of the answer, and `maxOutputTokens` cuts after so many.
 *
 * @example
 * ```ts
 * const model = createScriptedLlm({
 *   rules: [
 *     { when: /my name is (\w+)/i, answer: (_request, { match }) => `Hello, ${match?.[1]}.` },
 *     { when: 'first', answer: ({ messages }) => `You began with: ${messages[0]?.content}` },
 *   ],
 * });
 * ```
 */
export function createScriptedLlm(options: ScriptedLlmOptions = {}): ScriptedLlm {
  return new RuleModel(options);
}

class RuleModel implements ScriptedLlm {
  readonly name: string;
  readonly requests: LlmRequest[] = [];
  calls = 0;
  readonly #rules: readonly { readonly rule: ScriptRule; left: number }[];
  readonly #model: string | undefined;
  readonly #pieceDelayMs: number;
  readonly #keepRequests: number;
  readonly #clock: Clock;
  #faults: { readonly fault: ScriptedFault; left: number }[] = [];

  constructor({
    rules = [],
    name = 'scripted',
    model,
    pieceDelayMs = 0,
    keepRequests = 100,
    clock = systemClock,
  }: ScriptedLlmOptions) {
    this.name = name;
    this.#rules = rules.map((rule) => ({ rule, left: rule.times ?? Number.POSITIVE_INFINITY }));
    this.#model = model;
    this.#pieceDelayMs = requireNumber('pieceDelayMs', pieceDelayMs, 0);
    this.#keepRequests = requireWhole('keepRequests', keepRequests, 0);
    this.#clock = clock;
  }

  failNext(error: unknown, times = 1): void {
    this.#faults.push({ fault: { kind: 'error', error, afterPieces: 0 }, left: times });
  }

  stallAfter(pieces: number, times = 1): void {
    this.#faults.push({ fault: { kind: 'stall', afterPieces: requireWhole('pieces', pieces, 0) }, left: times });
  }

  cutAfter(pieces: number, times = 1): void {
    this.#faults.push({ fault: { kind: 'cut', afterPieces: requireWhole('pieces', pieces, 0) }, left: times });
  }

  heal(): void {
    this.#faults = [];
  }

  /** The stream, gathered: the two cannot disagree. */
  async complete(request: LlmRequest, options: LlmCallOptions = {}): Promise<LlmResponse> {
    let text = '';
    const toolCalls: LlmToolCall[] = [];
    for await (const event of this.stream(request, options)) {
      if (event.type === 'text') text += event.text;
      else if (event.type === 'tool-call') toolCalls.push(event.call);
      else
        return {
          text,
          ...(toolCalls.length > 0 && { toolCalls }),
          reason: event.reason,
          usage: event.usage,
          model: event.model,
        };
    }
    throw testingErrors.CUT({ provider: this.name });
  }

  async *stream(request: LlmRequest, { signal }: LlmCallOptions = {}): AsyncGenerator<LlmEvent, void, void> {
    signal?.throwIfAborted();
    const ordered = this.#nextFault();
    this.#remember(request);
    const answer = await this.#answer(request, signal);
    const { pieces, cutShort } = piecesOf(answer, request.maxOutputTokens);
    const fault = ordered ?? answer.fault;
    const pieceDelayMs = answer.pieceDelayMs ?? this.#pieceDelayMs;

    await this.#pause(answer.delayMs ?? 0, signal);
    for (let i = 0; i < pieces.length; i++) {
      if (fault?.afterPieces === i) break;
      if (i > 0) await this.#pause(pieceDelayMs, signal);
      signal?.throwIfAborted();
      yield { type: 'text', text: pieces[i] ?? '' };
    }
    if (fault !== undefined) {
      await strike(fault, signal);
      return;
    }
    for (const call of answer.toolCalls ?? []) yield { type: 'tool-call', call };
    signal?.throwIfAborted();
    yield finishOf(request, answer, { pieces, cutShort, model: this.#model ?? request.model });
  }

  async #answer(request: LlmRequest, signal: AbortSignal | undefined): Promise<ScriptedAnswer> {
    const text = lastUserText(request.messages);
    for (const entry of this.#rules) {
      const { rule } = entry;
      const match = rule.when instanceof RegExp ? (new RegExp(rule.when).exec(text) ?? undefined) : undefined;
      if (entry.left <= 0 || !fits(rule.when, { request, text, match })) continue;
      entry.left--;
      const call: ScriptCall = { match, signal };
      const answer = typeof rule.answer === 'function' ? await rule.answer(request, call) : rule.answer;
      return typeof answer === 'string' ? { text: answer } : answer;
    }
    return { text };
  }

  #nextFault(): ScriptedFault | undefined {
    const next = this.#faults[0];
    if (next === undefined) return undefined;
    if (--next.left <= 0) this.#faults.shift();
    return next.fault;
  }

  #remember(request: LlmRequest): void {
    this.calls++;
    this.requests.push(request);
    if (this.requests.length > this.#keepRequests) this.requests.shift();
  }

  async #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (delayMs > 0) await sleep(delayMs, { signal, clock: this.#clock });
  }
}

interface Question {
  readonly request: LlmRequest;
  readonly text: string;
  readonly match: RegExpExecArray | undefined;
}

function fits(when: ScriptRule['when'], { request, text, match }: Question): boolean {
  if (when === undefined) return true;
  if (typeof when === 'string') return text.toLowerCase().includes(when.toLowerCase());
  return when instanceof RegExp ? match !== undefined : when(request);
}

function piecesOf(
  { text = '', pieces }: ScriptedAnswer,
  most: number | undefined,
): { readonly pieces: readonly string[]; readonly cutShort: boolean } {
  const whole = pieces?.join('') ?? text;
  if (most !== undefined && countWords(whole) > most)
    return { pieces: wordsOf(firstWords(whole, most)), cutShort: true };
  return { pieces: pieces ?? wordsOf(text), cutShort: false };
}

interface Given {
  readonly pieces: readonly string[];
  readonly cutShort: boolean;
  readonly model: string;
}

function finishOf(
  request: LlmRequest,
  { toolCalls = [], reason, usage }: ScriptedAnswer,
  { pieces, cutShort, model }: Given,
): LlmFinish {
  const inputTokens = sum(request.messages.map(({ content }) => countWords(content)));
  const outputTokens = countWords(pieces.join('')) + sum(toolCalls.map((call) => countWords(call.arguments)));
  const counted: Usage = { inputTokens, outputTokens, ...usage };
  const usual = toolCalls.length > 0 ? 'tool-calls' : cutShort ? 'length' : 'stop';
  return { type: 'finish', reason: reason ?? usual, usage: counted, model };
}

/** Fails as the fault says; a cut is a plain return. */
async function strike(fault: ScriptedFault, signal: AbortSignal | undefined): Promise<void> {
  if (fault.kind === 'error') throw fault.error;
  if (fault.kind === 'stall') await aborted(signal);
}

function aborted(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
