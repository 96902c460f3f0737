/** Random ids of traces and spans, many at a time: what costs is to ask for random bytes and to make text of bytes, however many they are. */
import { randomFillSync } from 'node:crypto';

/** Few enough that an id which is kept long, and with it the text of all that were made at once, takes little. */
const idsAtOnce = 128;
/** Three of the four words of a trace id, and a span id. */
const bytesOfIds = 20;
const traceDigits = 24;
const spanDigits = 16;

const bytes = Buffer.alloc(idsAtOnce * bytesOfIds);
const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
let text = '';
let at = bytes.length;

/**
 * Ids of a trace and of its first span. The four words of the trace id fold into `folded`, by which the trace is sampled; all else is random. All zeros, which
 * would be no id, are less likely than a bit of the memory that flips.
 */
export function newIds(folded: number): { readonly traceId: string; readonly spanId: string } {
  const first = take();
  const last = folded ^ words.getUint32(first) ^ words.getUint32(first + 4) ^ words.getUint32(first + 8);
  const spanAt = first * 2 + traceDigits;
  return {
    traceId: text.slice(first * 2, spanAt) + hexOf(last),
    spanId: text.slice(spanAt, spanAt + spanDigits),
  };
}

export function newSpanId(): string {
  const spanAt = take() * 2 + traceDigits;
  return text.slice(spanAt, spanAt + spanDigits);
}

/** Where the next bytes begin. */
function take(): number {
  if (at === bytes.length) {
    text = randomFillSync(bytes).toString('hex');
    at = 0;
  }
  const first = at;
  at += bytesOfIds;
  return first;
}

const digits = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

function hexOf(word: number): string {
  return `${digits[word >>> 24]}${digits[(word >>> 16) & 255]}${digits[(word >>> 8) & 255]}${digits[word & 255]}`;
}
