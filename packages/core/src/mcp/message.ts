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

/** The request that a `notifications/cancelled` is about. */
export function cancelledId(message: unknown): string | number | undefined {
  const { method, params } = asBag(message);
  const id = method === 'notifications/cancelled' ? asBag(params)['requestId'] : undefined;
  return isId(id) ? id : undefined;
}

function asBag(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function isId(id: unknown): id is string | number {
  return typeof id === 'string' || typeof id === 'number';
}
