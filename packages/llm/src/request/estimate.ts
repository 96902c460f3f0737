/** How many tokens a request will be, before anybody counted them. */
import { countTokens } from './count-tokens.ts';
import { findMembers, type FoundMembers, wantMembers } from './json-members.ts';
import { ofAttachments, ofTools } from './words.ts';

/**
 * An estimate that is rarely too low, of the whole JSON of a request, its names and signs included: tokenizers of several providers differ, and what they put
 * around a message is not seen. An image within the request counts as {@link tokensOfImage}, whatever its bytes, and so does a file or image that is only
 * named; sound counts by its length.
 */
export function estimateTokens(text: string, { long, words }: Noticed, margin = 1): number {
  let tokens = 0;
  let images = 0;
  let sound = 0;
  let at = 0;
  for (const { from, to } of long) {
    const perCharacter = mediaIn(text, from, to);
    if (perCharacter === undefined) continue;
    if (perCharacter === 0) images++;
    sound += Math.ceil((to - from) * perCharacter);
    tokens += countTokens(text, at, from);
    at = to;
  }
  tokens += countTokens(text, at);
  const attachments = (words & ofAttachments) === 0 ? images : attachmentsIn(text, images);
  const tools = (words & ofTools) === 0 ? 0 : tokensOfTools;
  return Math.ceil(tokens * margin) + attachments * tokensOfImage + sound + tools;
}

/** The same of a request that nothing else is read of. */
export function estimateText(text: string, margin?: number): number {
  return estimateTokens(text, findMembers(text, nothing) ?? { long: [], words: 0 }, margin);
}

const nothing = wantMembers([]);

/** What was seen of a text while its members were looked for. */
type Noticed = Pick<FoundMembers, 'long' | 'words'>;

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

/** Members that name a file or an image, whatever the provider's spelling; not those that have its bytes. */
const attachmentNames =
  /"(?:image_url|file_url|file_id|fileUri|file_uri)"\s*:(?!\s*(?:\{\s*"url"\s*:\s*)?"data:image)|"type"\s*:\s*"url"/g;

/** Of an image whose type is told, few bytes may tell of a large one. */
const imageTypes =
  /"(?:media_type|mimeType|mime_type)"\s*:\s*"image\\?\/|"image_url"\s*:\s*(?:\{\s*"url"\s*:\s*)?"data:image/g;

/** @param images that were seen by their bytes: mostly their types are told as well. */
function attachmentsIn(text: string, images: number): number {
  return timesIn(text, attachmentNames) + Math.max(images, timesIn(text, imageTypes));
}

function timesIn(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

/** How media begin, in base64, and what they are in tokens for each of its characters: 0 for an image, which is one whatever its length. */
const media: readonly (readonly [RegExp, number])[] = [
  [/data:image\/|iVBORw0KGgo|\/9j\/|R0lGOD|UklGR.{7}RUJQ/y, 0],
  // 32 tokens a second, of which plain sound has 8,000 bytes at least, and packed sound 750.
  [/UklGR.{7}QVZF/y, 0.003],
  [/SUQz|\/\/[suv]|T2dnUw|ZkxhQw|AAAA.{4}ZnR5c|GkXf/y, 0.032],
];

/** Members that hold media. What a user says may be written like it. */
const mediaNames = /"(?:data|url|image_url|bytes|imageBytes)"\s*:\s*"$/;
const longestName = 40;

/** Tokens for each of its characters; undefined of anything else. */
function mediaIn(text: string, from: number, to: number): number | undefined {
  const known = media.find(([start]) => {
    start.lastIndex = from;
    return start.test(text);
  });
  const isHeld = known !== undefined && mediaNames.test(text.slice(Math.max(0, from - longestName), from));
  return isHeld && isBase64(text, from, to) ? known[1] : undefined;
}

/** Whoever writes a prompt may begin it like an image. Of a long one samples are looked at, and nobody knows which. */
function isBase64(text: string, from: number, to: number): boolean {
  const comma = text.startsWith('data:', from) ? text.slice(from, from + longestType).indexOf(',') : -1;
  const begin = from + comma + 1;
  const count = Math.min(samples, Math.ceil((to - begin) / sampleLength));
  const step = (to - begin) / count;
  for (let turn = 0; turn < count; turn++) {
    const at = begin + Math.floor(turn * step + Math.random() * Math.max(0, step - sampleLength));
    sample.lastIndex = at;
    if (!sample.test(text) || sample.lastIndex < Math.min(at + sampleLength, to)) return false;
  }
  return true;
}

/** Of what is written before the data, such as `data:image/png;base64,`. */
const longestType = 100;
const samples = 64;
const sampleLength = 256;
/** Some writers of JSON escape each slash. */
const sample = new RegExp(`[\\w+/=\\\\-]{1,${sampleLength}}`, 'y');
