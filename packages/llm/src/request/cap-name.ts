/**
 * Under which name a model is told its limit of output tokens, where it knows one of two: OpenAI's reasoning models refuse the old one, many other hosts the new
 * one, and behind the name of a deployment may be either. Who refuses one is told the other, then and from then on.
 */
import type { FetchCall } from './fetch-call.ts';
import type { Place } from './json-members.ts';
import { beginningOf } from './refusal-text.ts';
import { urlOf } from './url.ts';

/** URLs and models that take the other name than the usual one. */
const exceptions = new Set<string>();
/** Whoever calls many is told of a refusal at worst. */
const mostExceptions = 1_000;

/** The member to set where a request has none of them. */
export function capPlace(call: FetchCall): Place | undefined {
  const { capFor, places } = call.wire.request;
  const usual = capFor?.(call.model) ?? 0;
  return places.caps[exceptions.size > 0 && exceptions.has(keyOf(call)) ? 1 - usual : usual];
}

/** Whether an answer refuses the name of a limit that the client did not set. If so, its connection is let go, and it is remembered. */
export async function refusesCapName(response: Response, call: FetchCall): Promise<boolean> {
  const { wire, asked, maxOutputTokens } = call;
  const isOurs =
    wire.request.capFor !== undefined && maxOutputTokens !== undefined && asked.maxOutputTokens === undefined;
  if (!isOurs || (response.status !== 400 && response.status !== 422) || exceptions.has(keyOf(call))) return false;
  const name = capPlace(call)?.name ?? '';
  const words = await beginningOf(response.clone());
  if (!words.includes(name) || !refusal.test(words)) return false;
  response.body?.cancel().catch(() => {});
  if (exceptions.size >= mostExceptions) exceptions.clear();
  exceptions.add(keyOf(call));
  return true;
}

/** It is the name that is wrong, not the number. */
const refusal = /un(?:supported|recognized|known|expected)|not (?:supported|permitted|allowed|recognized)|extra/i;

function keyOf({ input, model }: FetchCall): string {
  return `${urlOf(input)} ${model}`;
}
