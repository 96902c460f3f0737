/** Config blocks of the servers that agents share: `redis` and `postgres`. */
import { z } from 'zod';

const shared = {
  /** A file that holds the URL, such as a mounted secret. Read once, at the start. */
  url_file: z.string().min(1).optional(),
  /** How long a limit waits for the server, in milliseconds; then the rules' policies decide. */
  timeout_ms: z.int().min(1).max(60_000).default(50),
};

export const redisConfig = z
  .strictObject({
    url: urlOf(/^rediss?$/, 'redis://host:6379').optional(),
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
    url: urlOf(/^postgres(?:ql)?$/, 'postgres://user@host:5432/database').optional(),
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

function urlOf(protocol: RegExp, example: string) {
  return z.url({ protocol, error: `wanted a URL such as ${example}` });
}

interface Url {
  readonly url?: string | undefined;
  readonly url_file?: string | undefined;
}

function requireOneUrl({ url, url_file: file }: Url, context: z.core.$RefinementCtx): void {
  const given = Number(url !== undefined) + Number(file !== undefined);
  if (given !== 1) context.addIssue({ code: 'custom', path: [], message: 'wanted one of url and url_file' });
}
