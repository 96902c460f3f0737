import { providers } from './providers/index.ts';
import type { Provider } from './providers/provider.ts';

/** `fetch`, as every SDK asks for it. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A request that was recognised as a call of a model. */
export interface LlmCall {
  readonly provider: Provider;
  readonly api: string;
  /** `unknown` where neither the path nor a body in text names it. */
  readonly model: string;
  readonly stream: boolean;
  readonly input: string | URL | Request;
  readonly init: RequestInit | undefined;
}

/** Recognises the call of a model by method and path; undefined for any other request. Reads the body only where it is text or bytes. */
export function toCall(input: string | URL | Request, init: RequestInit | undefined): LlmCall | undefined {
  const request = typeof input === 'object' && 'url' in input ? input : undefined;
  const method = init?.method ?? request?.method ?? 'GET';
  if (method.toUpperCase() !== 'POST') return undefined;
  const path = (typeof input === 'string' ? URL.parse(input) : 'url' in input ? URL.parse(input.url) : input)?.pathname;
  if (path === undefined) return undefined;
  for (const provider of providers) {
    const endpoint = provider.detect(path);
    if (endpoint === undefined) continue;
    const { api, model, stream } = endpoint;
    const asked = model === undefined ? askedOf(init?.body) : {};
    return {
      provider,
      api,
      model: model ?? asked.model ?? 'unknown',
      stream: stream ?? asked.stream ?? false,
      input,
      init,
    };
  }
  return undefined;
}

/** What the body of a request asks for. */
function askedOf(body: RequestInit['body']): { readonly model?: string; readonly stream?: boolean } {
  const text = typeof body === 'string' ? body : body instanceof Uint8Array ? Buffer.from(body).toString() : '{}';
  try {
    const { model, stream } = JSON.parse(text) as { model?: unknown; stream?: unknown };
    return { ...(typeof model === 'string' && { model }), stream: stream === true };
  } catch {
    return {};
  }
}
