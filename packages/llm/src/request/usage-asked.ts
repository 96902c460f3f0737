/** Hosts that speak OpenAI's API, but refuse a request that asks for usage in a stream: they are not asked again. */
import { beginningOf } from './refusal-text.ts';
import { urlOf } from './url.ts';

/** By URL, since on Azure it depends on the version in it. */
const refusing = new Set<string>();
/** Whoever calls many is told of usage all the same. */
const mostRefusing = 100;

/** Whether usage may be asked for. */
export function mayAskForUsage(input: string | URL | Request): boolean {
  return refusing.size === 0 || !refusing.has(urlOf(input));
}

/** Whether an answer refuses to be asked for usage. If so, its connection is let go, and it is remembered. The answer stays as it is otherwise. */
export async function refusesUsage(response: Response, input: string | URL | Request): Promise<boolean> {
  if (response.status !== 400 && response.status !== 422) return false;
  const words = await beginningOf(response.clone());
  if (!/stream_options|include_usage/.test(words)) return false;
  response.body?.cancel().catch(() => {});
  if (refusing.size >= mostRefusing) refusing.clear();
  refusing.add(urlOf(input));
  return true;
}
