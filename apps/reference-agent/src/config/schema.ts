import { healthConfig } from '@sage-adk/health/config';
import { loggingConfig } from '@sage-adk/logging/config';
import { metricsConfig } from '@sage-adk/metrics/config';
import { perfConfig } from '@sage-adk/perf/config';
import { rateLimitConfig } from '@sage-adk/ratelimit/config';
import { recoveryConfig } from '@sage-adk/recovery/config';
import { tracingConfig } from '@sage-adk/tracing/config';
import { z } from 'zod';
import { postgresConfig, redisConfig } from './connections.ts';
import { checkAcross } from './cross-checks.ts';
import { llmConfig } from './llm.ts';
import { identityConfig, serverConfig, storageConfig } from './server.ts';

const blocks = z.strictObject({
  server: serverConfig.prefault({}),
  agent: identityConfig.prefault({}),
  llm: llmConfig.prefault({}),
  storage: storageConfig.prefault({}),
  observability: z
    .strictObject({
      metrics: metricsConfig,
      logging: loggingConfig,
      tracing: tracingConfig,
      health: healthConfig,
    })
    .prefault({}),
  rate_limit: rateLimitConfig,
  recovery: recoveryConfig,
  performance: perfConfig,
  redis: redisConfig,
  postgres: postgresConfig,
});

/** Everything that can be configured. Unknown keys are errors; what is missing has a default. */
export const agentConfig = blocks.superRefine(checkAcross);

export type AgentConfig = z.infer<typeof blocks>;
