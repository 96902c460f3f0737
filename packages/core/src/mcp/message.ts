/** The JSON-RPC messages of MCP, by shape. */
export interface McpRequest {
  readonly id: string | number;
  readonly method: string;
  readonly params?: { readonly name?: unknown; readonly _meta?: Readonly<Record<string, unknown>> };
}

export interface McpResponse {
  readonly id: string | number;
  readonly result?: { readonly isError?: unknown };
  readonly error?: { readonly code: number; readonly message: string };
}

export function isRequest(message: unknown): message is McpRequest {
  const { id, method } = asBag(message);
  return typeof method === 'string' && isId(id);
}

export function isResponse(message: unknown): message is McpResponse {
  const bag = asBag(message);
  return isId(bag['id']) && ('result' in bag || 'error' in bag);
}

/** What a `notifications/cancelled` says: which request, and whether its sender gave up because its time was over. */
export function cancellationOf(
  message: unknown,
): { readonly id: string | number; readonly timedOut: boolean } | undefined {
  const { method, params } = asBag(message);
  if (method !== 'notifications/cancelled') return undefined;
  const { requestId: id, reason } = asBag(params);
  // The SDK tells a timeout only in words: the code of its RequestTimeout, or the name of a signal's reason.
  return isId(id) ? { id, timedOut: /-32001|TimeoutError/.test(String(reason)) } : undefined;
}

function asBag(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}
