import { readFile } from 'node:fs/promises';
import { errors } from '../errors.ts';

/**
 * The text of a file that holds a secret, such as a mounted one. Throws `SECRET_UNREADABLE`.
 *
 * @param key the key of the configuration that names the file, for errors.
 */
export async function readSecret(file: string, key: string): Promise<string> {
  try {
    const text = (await readFile(file, 'utf8')).trim();
    if (text !== '') return text;
  } catch (cause) {
    throw errors.SECRET_UNREADABLE(
      { key, file, reason: (cause as NodeJS.ErrnoException).code ?? 'unreadable' },
      { cause },
    );
  }
  throw errors.SECRET_UNREADABLE({ key, file, reason: 'it is empty' });
}
