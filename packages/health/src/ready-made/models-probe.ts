import { requireOption } from '@sage-adk/core';
import { errors } from '../errors.ts';

export interface ModelsProbeOptions {
  /** Where the provider's API begins, such as `https://api.openai.com/v1`; `/models` is added. */
  readonly baseUrl: string;
  /** Fields that authorize the request. They are in no error and no detail. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * A probe for `llmCheck`: lists the provider's models, which none of the known providers bills. Throws `SAGE_HEALTH_PROBE_REFUSED` for an answer
 * that is not 2xx; the answer itself is not read.
 */
export function modelsProbe({
  baseUrl,
  headers = {},
  fetch = globalThis.fetch,
}: ModelsProbeOptions): (signal: AbortSignal) => Promise<void> {
  requireOption('baseUrl', baseUrl, 'an http or https URL', (url) => /^https?:$/.test(URL.parse(url)?.protocol ?? ''));
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}/models`);
  return async (signal) => {
    const response = await fetch(url, { headers, signal, redirect: 'error' });
    await response.body?.cancel();
    if (!response.ok) throw errors.PROBE_REFUSED({ path: url.pathname, status: response.status });
  };
}
