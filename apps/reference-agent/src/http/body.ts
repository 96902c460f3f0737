import type { IncomingMessage } from 'node:http';
import { errors } from '../errors.ts';

/** Largest body of a request, in bytes. */
export const bodyLimit = 1024 * 1024;

// What is only a little too large is read to its end, so that the client is still listening when the refusal comes.
const readAnyway = 8 * bodyLimit;

/** The value that a JSON body holds. Throws `UNSUPPORTED_TYPE`, `BODY_TOO_LARGE` or `MALFORMED_JSON`. */
export async function readJson(request: IncomingMessage, types: readonly string[]): Promise<unknown> {
  const type = request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (type === undefined || !types.includes(type)) {
    request.resume();
    throw errors.UNSUPPORTED_TYPE({ expected: types.join(' or '), type: type?.slice(0, 100) ?? 'missing' });
  }
  const body = await readBody(request);
  try {
    return JSON.parse(body.toString('utf8')) as unknown;
  } catch (cause) {
    throw errors.MALFORMED_JSON({}, { cause });
  }
}

// Listeners, not an iterator: `for await` over a request costs as much as the rest of the server together.
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > readAnyway) return reject(tooLarge());
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= bodyLimit) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > readAnyway) reject(tooLarge());
    });
    request.on('end', () => {
      if (bytes > bodyLimit) reject(tooLarge());
      else resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    request.on('error', reject);
    request.on('close', () => {
      if (!request.complete) reject(errors.CLIENT_GONE());
    });
  });
}

function tooLarge() {
  return errors.BODY_TOO_LARGE({ limit: bodyLimit });
}
