/** Hosts that speak OpenAI's API, but refuse a request that asks for usage in a stream: they are not asked again. */
import { Refusals } from './refusals.ts';
import { urlOf } from './url.ts';

/** By URL, since on Azure it depends on the version in it. */
const refusals = new Refusals();

/** Whether usage may be asked for. */
export function mayAskForUsage(input: string | URL | Request): boolean {
  return !refusals.any || !refusals.has(urlOf(input));
}

/** Whether an answer refuses to be asked for usage. If so, its connection is let go, and it is remembered. */
export function refusesUsage(response: Response, input: string | URL | Request): Promise<boolean> {
  return refusals.learn(response, urlOf(input), (words) => /stream_options|include_usage/.test(words));
}
