/** Words that say of a request what its members elsewhere do not. Each counts where a string of the JSON is that very word, as a name or as a value. */

/** There are tools. */
export const ofTools = 1;
/** A file or an image may be named whose bytes are not here, or are few. */
export const ofAttachments = 2;
/** The input may be written to the provider's cache. */
export const ofCache = 4;
/** What is written there may be kept for an hour. */
export const ofLongCache = 8;

const meanings: Readonly<Record<string, number>> = {
  tools: ofTools,
  image_url: ofAttachments,
  file_url: ofAttachments,
  file_id: ofAttachments,
  fileUri: ofAttachments,
  file_uri: ofAttachments,
  url: ofAttachments,
  media_type: ofAttachments,
  mimeType: ofAttachments,
  mime_type: ofAttachments,
  cache_control: ofCache,
  '1h': ofLongCache,
};

interface Word {
  readonly written: string;
  /** Its first character. Comparing it finds out nearly all others for much less than comparing texts. */
  readonly first: number;
  readonly meaning: number;
}

/** By their length with quotes: nearly all strings are told apart from them by that alone. */
const words: readonly (readonly Word[] | undefined)[] = Array.from({ length: 16 }, (_, length) => {
  const ofLength = Object.entries(meanings)
    .map(([word, meaning]): Word => ({ written: `"${word}"`, first: word.charCodeAt(0), meaning }))
    .filter(({ written }) => written.length === length);
  return ofLength.length === 0 ? undefined : ofLength;
});

/** What the string says that stands from one quote to the place after the other; 0 for nothing. */
export function meaningOf(text: string, from: number, to: number): number {
  const length = to - from;
  const alike = length < words.length ? words[length] : undefined;
  if (alike === undefined) return 0;
  const first = text.charCodeAt(from + 1);
  for (const word of alike) if (word.first === first && text.startsWith(word.written, from)) return word.meaning;
  return 0;
}
