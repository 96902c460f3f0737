/** Config blocks of the servers that agents share: `redis` and `postgres`. */
import { z } from 'zod';

const schemes = {
  redis: { protocol: /^rediss?:$/, example: 'redis://host:6379' },
  postgres: { protocol: /^postgres(?:ql)?:$/, example: 'postgres://user@host:5432/database' },
};

const shared = {
  /** A file that holds the URL, such as a mounted secret. Read once, at the start. */
  url_file: z.string().min(1).optional(),
  /** How long a limit waits for the server, in milliseconds; then the rules' policies decide. */
  timeout_ms: z.int().min(1).max(60_000).default(50),
};

export const redisConfig = z
  .strictObject({
    url: urlOf('redis').optional(),
    ...shared,
    /** How all keys begin. */
    prefix: z
      .string()
      .regex(/^[\w.:-]{1,64}$/, { error: 'wanted 1 to 64 letters, digits and . _ : -' })
      .default('sage'),
  })
  .superRefine(requireOneUrl)
  .optional();

export const postgresConfig = z
  .strictObject({
    url: urlOf('postgres').optional(),
    ...shared,
    /** Where the tables are made. @default the first schema on the search path */
    schema: z.string().min(1).max(63).optional(),
    /** Which decisions of limits are written down, to be queried later: the denials, all about money, or every one. */
    audit: z.enum(['none', 'denials', 'money', 'all']).default('none'),
    /** How long they are kept. */
    audit_days: z.int().min(1).max(36_500).default(30),
  })
  .superRefine(requireOneUrl)
  .optional();

export type RedisConfig = NonNullable<z.output<typeof redisConfig>>;
export type PostgresConfig = NonNullable<z.output<typeof postgresConfig>>;

/** What a driver would have against a URL, in words that quote none of it; undefined where that is nothing. */
export function urlProblem(block: keyof typeof schemes, text: string): string | undefined {
  const { protocol, example } = schemes[block];
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocol.test(url.protocol)) return `wanted a URL such as ${example}`;
  if (![url.username, url.password].every(canDecode)) return 'wanted a user and a password with each % written as %25';
  if (block === 'redis' && !/^\/?\d*$/.test(url.pathname))
    return `wanted the number of a database after the host, such as ${example}/0`;
  return undefined;
}

function canDecode(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function urlOf(block: keyof typeof schemes) {
  const error = `wanted a URL such as ${schemes[block].example}`;
  return z.string({ error }).superRefine((url, context) => {
    const message = urlProblem(block, url);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
}

interface Url {
  readonly url?: string | undefined;
  readonly url_file?: string | undefined;
}

function requireOneUrl({ url, url_file: file }: Url, context: z.core.$RefinementCtx): void {
  const given = Number(url !== undefined) + Number(file !== undefined);
  if (given !== 1) context.addIssue({ code: 'custom', path: [], message: 'wanted one of url and url_file' });
}
