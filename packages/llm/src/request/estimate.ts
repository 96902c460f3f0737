/** How many tokens a request will be, before anybody counted them. */
import type { Span } from './json-members.ts';

/**
 * An estimate that is rarely too low: a token for every three bytes of the request's JSON, its punctuation included.
 *
 * Tokenizers make a token of about 4.5 bytes of English, 3.5 of code, 3 to 4 of Korean and Chinese; so it is mostly 1.2 to 1.9 times what is counted
 * in the end. Too low it is for texts of emoji, hexadecimal digits and other noise, by up to a third. An image within the request counts as
 * {@link tokensOfImage}, whatever its bytes, and so does a file or image that is only named.
 */
export function estimateTokens(text: string, long: readonly Span[], bytesPerToken = usualBytesPerToken): number {
  let bytes = Buffer.byteLength(text);
  let attachments = namedAttachments(text);
  for (const { from, to } of long) {
    if (!isImage(text, from)) continue;
    bytes -= to - from;
    attachments++;
  }
  return Math.ceil(bytes / bytesPerToken) + attachments * tokensOfImage + (hasTools(text) ? tokensOfTools : 0);
}

/** Output that came in so many pieces and bytes, at most. A piece is a token at least. */
export function estimateOutput(pieces: number, bytes: number): number {
  return Math.max(pieces, Math.ceil(bytes / usualBytesPerToken));
}

export const usualBytesPerToken = 3;
/** More than the largest image costs at any of the providers when this was written. */
export const tokensOfImage = 5_000;
/** What providers put around the description of tools. */
const tokensOfTools = 500;

/** Of the members that name a file or an image, whatever the provider's spelling, one ends in each of these. */
const attachmentNames = /"(?:image_url|file_url|file_id|fileUri|file_uri)"\s*:|"type"\s*:\s*"url"/g;

function namedAttachments(text: string): number {
  if (!/url"|Uri"|uri"|file_id"/.test(text)) return 0;
  return text.match(attachmentNames)?.length ?? 0;
}

const imageStarts = ['data:image/', 'iVBORw0KGgo', '/9j/', 'R0lGOD', 'UklGR'];

function isImage(text: string, from: number): boolean {
  return imageStarts.some((start) => text.startsWith(start, from));
}

function hasTools(text: string): boolean {
  return text.includes('"tools"');
}
