import { urlProblem } from '../config/connections.ts';
import { readSecret } from '../config/secret.ts';
import { errors } from '../errors.ts';

/** Where a server is, as its config block says it: the URL itself, or a file that holds it. */
export interface UrlConfig {
  readonly url?: string | undefined;
  readonly url_file?: string | undefined;
}

/**
 * The URL of a block. Throws `SECRET_UNREADABLE`.
 *
 * @param block the name of the block, for errors.
 */
export async function urlIn({ url, url_file: file }: UrlConfig, block: 'redis' | 'postgres'): Promise<string> {
  if (url !== undefined) return url;
  if (file === undefined) throw new TypeError(`${block} has no url.`);
  const key = `${block}.url_file`;
  const text = await readSecret(file, key);
  const problem = URL.canParse(text) ? urlProblem(block, text) : 'it holds no URL';
  if (problem !== undefined) throw errors.SECRET_UNREADABLE({ key, file, reason: problem });
  return text;
}
