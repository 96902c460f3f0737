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
export async function urlIn({ url, url_file: file }: UrlConfig, block: string): Promise<string> {
  if (url !== undefined) return url;
  if (file === undefined) throw new TypeError(`${block} has no url.`);
  const key = `${block}.url_file`;
  const text = await readSecret(file, key);
  if (!URL.canParse(text)) throw errors.SECRET_UNREADABLE({ key, file, reason: 'it holds no URL' });
  return text;
}
