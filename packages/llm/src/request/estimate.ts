/** How many tokens a request will be, before anybody counted them. */
import { countTokens } from './count-tokens.ts';
import type { Span } from './json-members.ts';

/**
 * An estimate that is rarely too low, of the whole JSON of a request, its names and signs included: tokenizers of several providers differ, and what they put
 * around a message is not seen. An image within the request counts as {@link tokensOfImage}, whatever its bytes, and so does a file or image that is only named.
 */
export function estimateTokens(text: string, long: readonly Span[], margin = 1): number {
  let tokens = 0;
  let attachments = namedAttachments(text);
  let at = 0;
  for (const { from, to } of long) {
    if (!isImage(text, from)) continue;
    tokens += countTokens(text, at, from);
    attachments++;
    at = to;
  }
  tokens += countTokens(text, at);
  return Math.ceil(tokens * margin) + attachments * tokensOfImage + (hasTools(text) ? tokensOfTools : 0);
}

/** Output that came in so many pieces and bytes, at most. A piece is a token at least. */
export function estimateOutput(pieces: number, bytes: number): number {
  return Math.max(pieces, Math.ceil(bytes / bytesPerToken));
}

/** Fewer than there are of English, code, Korean or Chinese. */
const bytesPerToken = 3;
/** More than the largest image costs at any of the providers when this was written. */
export const tokensOfImage = 5_000;
/** What providers put around the description of tools. */
const tokensOfTools = 500;

/** Members that name a file or an image, whatever the provider's spelling. */
const attachmentNames = /"(?:image_url|file_url|file_id|fileUri|file_uri)"\s*:|"type"\s*:\s*"url"/g;

/** Searches for text are far faster than one pattern, and nearly all requests name nothing. */
const attachmentEnds = ['_url"', '"url"', 'Uri"', '_uri"', '_id"'];

function namedAttachments(text: string): number {
  for (const end of attachmentEnds) if (text.includes(end)) return text.match(attachmentNames)?.length ?? 0;
  return 0;
}

const imageStarts = ['data:image/', 'iVBORw0KGgo', '/9j/', 'R0lGOD', 'UklGR'];

function isImage(text: string, from: number): boolean {
  return imageStarts.some((start) => text.startsWith(start, from));
}

function hasTools(text: string): boolean {
  return text.includes('"tools"');
}
