/**
 * Under which name a model is told its limit of output tokens, where it knows one of two: OpenAI's reasoning models refuse the old one, many other hosts the new
 * one, and behind the name of a deployment may be either. Who refuses one is told the other, then and from then on.
 */
import type { FetchCall } from './fetch-call.ts';
import type { Place } from './json-members.ts';
import { Refusals } from './refusals.ts';
import { urlOf } from './url.ts';

/** Of the usual name, by URLs and models. */
const refusals = new Refusals();

/** The member to set where a request has none of them. */
export function capPlace(call: FetchCall): Place | undefined {
  const { capFor, places } = call.wire.request;
  const usual = capFor?.(call.model) ?? 0;
  return places.caps[refusals.any && refusals.has(keyOf(call)) ? 1 - usual : usual];
}

/** Whether an answer refuses the name of a limit that the client did not set. If so, its connection is let go, and it is remembered. */
export async function refusesCapName(response: Response, call: FetchCall): Promise<boolean> {
  const { wire, asked, maxOutputTokens } = call;
  const key = keyOf(call);
  const isOurs = maxOutputTokens !== undefined && asked.maxOutputTokens === undefined;
  const { capFor, places } = wire.request;
  const hasOther = capFor !== undefined && places.caps.length > 1;
  if (!isOurs || !hasOther || refusals.has(key)) return false;
  const { name = '' } = capPlace(call) ?? {};
  return refusals.learn(response, key, (words) => words.includes(name) && refusal.test(words));
}

/** It is the name that is wrong, not the number. */
const refusal = /un(?:supported|recognized|known|expected)|not (?:supported|permitted|allowed|recognized)|extra/i;

function keyOf({ input, model }: FetchCall): string {
  return `${urlOf(input)} ${model}`;
}
