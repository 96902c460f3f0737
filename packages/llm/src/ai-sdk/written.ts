/** What a model is asked, as JSON: for an estimate of its tokens, and to know the same call again. */
import { memberOf } from '../providers/usage.ts';
import type { AiParams } from './shapes.ts';

export function textOf(model: string, { prompt, tools, responseFormat, providerOptions }: AiParams): string {
  return JSON.stringify(
    { model, prompt, tools, responseFormat, providerOptions },
    function (this: unknown, key, value: unknown) {
      // Before a `toJSON` had it: bytes and addresses have one.
      const original = (this as Record<string, unknown>)[key];
      return original instanceof Uint8Array ? Buffer.from(original).toString('base64') : fileOf(value);
    },
  );
}

/** A file in the words in which requests name one, so that it is counted as theirs; anything else as it is. */
function fileOf(value: unknown): unknown {
  const mimeType = memberOf(value, 'mediaType');
  const data = memberOf(value, 'data');
  if (mimeType === undefined || data === undefined) return value;
  const type = memberOf(data, 'type');
  // V4 says what it is, V3 has the bytes or the address themselves.
  if (type === 'url' || type === 'reference' || isAddress(data)) return { file_url: memberOf(data, 'url') ?? data };
  return { mimeType, data: memberOf(data, 'data') ?? data };
}

function isAddress(data: unknown): boolean {
  return data instanceof URL || (typeof data === 'string' && /^https?:/.test(data));
}
