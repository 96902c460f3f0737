import type { CheckSpec } from '../checks/spec.ts';
import { errors } from '../errors.ts';
import type { NamedCheck } from './named.ts';

export interface ProtocolCheckOptions extends NamedCheck {
  /** A server of `node:http`, or anything that says whether it listens. */
  readonly server: { readonly listening: boolean };
  /** Asks the adapter for something small, such as its agent card; throws where it cannot give it. @default nothing is asked */
  readonly probe?: (signal: AbortSignal) => Promise<unknown>;
}

/** Whether the adapter of a protocol takes requests. */
export function protocolCheck({ server, probe, name = 'protocol', ...watching }: ProtocolCheckOptions): CheckSpec {
  return {
    failureThreshold: 1,
    ...watching,
    name,
    async check(signal) {
      if (!server.listening) throw errors.NOT_LISTENING({ name });
      await probe?.(signal);
    },
  };
}
