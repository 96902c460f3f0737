import type { Reason, Retriable } from '../classification.ts';
import type { ErrorFacts } from '../facts.ts';

/** What the code alone doesn't tell: whether the method had its effect before it failed. */
export type Judgement = readonly [reason: Reason, retry?: Retriable];

/** @see JSON-RPC 2.0, section 5.1 */
const common: Readonly<Record<number, Judgement>> = {
  [-32_700]: ['invalid'],
  [-32_600]: ['invalid'],
  [-32_601]: ['unsupported'],
  [-32_602]: ['invalid'],
  [-32_603]: ['server', 'if-idempotent'],
};

/** @see https://a2a-protocol.org/latest/specification/, section 5.4 */
const a2a: Readonly<Record<number, Judgement>> = {
  [-32_001]: ['not_found'],
  [-32_002]: ['invalid'],
  [-32_003]: ['unsupported'],
  [-32_004]: ['unsupported'],
  [-32_005]: ['unsupported'],
  [-32_006]: ['server', 'if-idempotent'],
  [-32_007]: ['unsupported'],
  [-32_008]: ['unsupported'],
  [-32_009]: ['unsupported'],
};

/** Codes of the official client and of the protocol. */
const mcp: Readonly<Record<number, Judgement>> = {
  [-32_000]: ['network'],
  [-32_001]: ['timeout'],
  [-32_002]: ['not_found'],
};

/** What an error of an agent or a tool means. */
export function byJsonRpc({ rpcCode, name, message }: ErrorFacts): Judgement | undefined {
  if (rpcCode === undefined) return undefined;
  if (name !== 'McpError') return common[rpcCode] ?? a2a[rpcCode] ?? ['unknown'];
  if (/\bAbortError\b/.test(message)) return ['caller'];
  return common[rpcCode] ?? mcp[rpcCode] ?? ['unknown'];
}
