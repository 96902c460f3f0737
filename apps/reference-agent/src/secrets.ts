/** What the configuration holds and nobody may read in a log, a record or a span. */
import { readFile } from 'node:fs/promises';
import type { AgentConfig } from './config/schema.ts';
import { keyIn } from './model/providers.ts';
import { urlIn } from './storage/url.ts';

/** The keys of providers, the passwords of Redis and PostgreSQL, and the seal of the audit log, wherever they are kept. */
export async function secretsIn({ llm, redis, postgres, observability }: AgentConfig): Promise<readonly string[]> {
  const { key_file: seal } = observability.logging.audit;
  const found = await Promise.all([
    ...Object.entries(llm.providers).map(([name, provider]) => known(keyIn(name, provider))),
    redis && known(urlIn(redis, 'redis').then(passwordOf)),
    postgres && known(urlIn(postgres, 'postgres').then(passwordOf)),
    seal === undefined ? undefined : known(readFile(seal, 'utf8')),
  ]);
  // A shorter one could not be told from other text.
  return [
    ...new Set(found.flatMap((secret) => (secret !== undefined && secret.trim().length >= 6 ? secret.trim() : []))),
  ];
}

/** What cannot be read is told by who needs it. */
async function known(secret: Promise<string | undefined>): Promise<string | undefined> {
  try {
    return await secret;
  } catch {
    return undefined;
  }
}

function passwordOf(url: string): string {
  return decodeURIComponent(new URL(url).password);
}
