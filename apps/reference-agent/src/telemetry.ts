import { createLogger, observeLogging } from '@sage-adk/logging';
import { loggingFromConfig } from '@sage-adk/logging/config';
import type { AgentUrls } from './agent.ts';
import { createClosing } from './closing.ts';
import type { AgentConfig } from './config/schema.ts';

/** Everything that watches the agent. None of it is known to what is watched. */
export interface Telemetry {
  readonly urls: Pick<AgentUrls, 'metrics' | 'health'>;
  /** The agent is about to end: it is no longer ready. */
  stopping(): void;
  /** Writes out what was collected and frees the ports. */
  close(): Promise<void>;
}

/** Starts what the `observability` block asks for. */
export async function startTelemetry({ agent, observability }: AgentConfig): Promise<Telemetry> {
  const closing = createClosing();
  const logger = closing.add(createLogger({ ...loggingFromConfig(observability.logging), service: agent.id }));
  const logging = observeLogging(logger);
  return {
    urls: {},
    stopping() {},
    async close() {
      logging[Symbol.dispose]();
      await closing.close();
    },
  };
}
