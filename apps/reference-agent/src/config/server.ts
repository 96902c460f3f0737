/** Config blocks of the agent itself: `server`, `agent` and `storage`. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { choice } from './choice.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

const apiKey = z.strictObject({
  /** Who the key belongs to: the user of limits, logs and conversations. Two keys may share an id while one replaces the other. */
  id: z.string().min(1).max(128),
  /** SHA-256 of the key, in hex. The key itself is never configured. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, { error: 'wanted the 64 hex digits of a SHA-256' })
    .toLowerCase(),
  /** Which of `rate_limit.tiers` holds for the user. */
  tier: z.string().min(1).max(30).optional(),
  /** The organisation that the user belongs to. */
  tenant: z.string().min(1).max(128).optional(),
});

/** Where the agent listens, and who may call it. */
export const serverConfig = z.strictObject({
  host: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(8080),
  /** Where clients reach the agent, if not at `http://host:port`; the agent card names it. */
  public_url: z.url({ protocol: /^https?$/ }).optional(),
  api_keys: z.array(apiKey).default([]),
  /** Time that running requests get when the agent stops. */
  drain_seconds: z.number().min(0).max(3_600).default(10),
  /** Time that the agent still serves after it said that it is not ready. */
  drain_delay_seconds: z.number().min(0).max(300).default(0),
});

/** What the agent says of itself in its card and in its telemetry. */
export const identityConfig = z.strictObject({
  id: z.string().min(1).max(128).default('reference-agent'),
  name: z.string().min(1).default('SAGE reference agent'),
  version: z.string().min(1).default(version),
  description: z
    .string()
    .min(1)
    .default('Answers text messages with a local scripted model. The template for your own agent.'),
});

/** Where conversations and tasks are kept. */
export const storageConfig = z.strictObject({
  type: choice(['memory'], ['redis', 'postgres']).default('memory'),
});
