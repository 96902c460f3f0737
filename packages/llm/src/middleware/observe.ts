/** Tells observers of each call: when it began and ended, what it used, what it cost, how it failed. Changes nothing of it. */
import { begin, type Middleware, type OpenOperation, type PricePort, type Usage } from '@sage-adk/core';
import { JsonPicker } from '../body/json-picker.ts';
import { tapBody } from '../body/tap-body.ts';
import type { LlmCall } from '../call.ts';
import { endFailed, refusalOf } from '../failure.ts';

export interface ObserveOptions {
  /** What calls cost. Without it, and where it does not know the price, the cost is left out. */
  readonly price?: PricePort;
  /** The name under which calls are reported and priced, for who speaks another provider's API. @default the provider that the path tells */
  readonly provider?: string;
}

/** A call that was begun, with the name of its provider. */
interface Observed {
  readonly call: LlmCall;
  readonly provider: string;
  readonly operation: OpenOperation<'llm.call'>;
}

export function observe({ price, provider: name }: ObserveOptions): Middleware<LlmCall, Response> {
  return async (call, next) => {
    const { api, model, stream } = call;
    const provider = name ?? call.provider.name;
    const operation = begin('llm.call', { provider, model, api, stream });
    const observed: Observed = { call, provider, operation };
    let response: Response;
    try {
      response = await operation.run(() => next(call));
    } catch (error) {
      endFailed(operation, call, provider, error);
      throw error;
    }
    if (!response.ok) operation.settle('error', refusalOf(response, provider));
    return observeBody(response, observed, price);
  };
}

/** The operation lasts until the body was read, for that is when the answer is there. */
function observeBody(response: Response, observed: Observed, price: PricePort | undefined): Response {
  const { call, provider, operation } = observed;
  const { usage, model, finishReason } = call.provider.paths;
  const picker = isJson(response) ? new JsonPicker([usage, model, ...finishReason]) : undefined;
  const tapped = tapBody(response, {
    chunk: (chunk) => picker?.write(chunk),
    end() {
      if (picker !== undefined && response.ok) learn(observed, picker, price);
      operation.end();
    },
    fail: (error) => endFailed(operation, call, provider, error),
    cancel() {
      // SDKs drop the body of an error unread: it stays an error.
      if (response.ok) operation.settle('cancelled');
      operation.end();
    },
  });
  if (tapped === undefined) operation.end();
  return tapped ?? response;
}

function isJson({ headers }: Response): boolean {
  return /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers.get('content-type') ?? '');
}

function learn({ call, provider, operation }: Observed, picker: JsonPicker, price: PricePort | undefined): void {
  const { paths } = call.provider;
  const usage = call.provider.usageOf(picker.get(paths.usage));
  const responseModel = picker.get(paths.model);
  const finishReason = paths.finishReason.map((path) => picker.get(path)).find((reason) => typeof reason === 'string');
  const models = typeof responseModel === 'string' ? [responseModel, call.model] : [call.model];
  const costNanoUsd = usage && costOf(price, provider, models, usage);
  operation.set({
    ...usage,
    ...(typeof responseModel === 'string' && { responseModel }),
    ...(finishReason !== undefined && { finishReason }),
    ...(costNanoUsd !== undefined && { costNanoUsd }),
  });
}

/** The price of the first model that has one: answers name a dated version, the book may know only the family. */
function costOf(
  price: PricePort | undefined,
  provider: string,
  models: readonly string[],
  usage: Usage,
): bigint | undefined {
  for (const model of models) {
    try {
      const cost = price?.costNanoUsd({ provider, model, usage });
      if (cost !== undefined) return cost;
    } catch {
      // A price book that fails knows no price; it must not fail the call.
    }
  }
  return undefined;
}
