import type { Artifact, Part } from '@a2a-js/sdk';

/** A part that is plain text. */
export function textPart(text: string): Part {
  return { content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' };
}

/** The text of all text parts, joined by line ends. */
export function textOf(parts: readonly Part[]): string {
  return parts.flatMap(({ content }) => (content?.$case === 'text' ? [content.value] : [])).join('\n');
}

/** The artifact with neighbouring plain texts in one part: what was streamed by token is kept as one text. */
export function joinText(artifact: Artifact): Artifact {
  const parts: Part[] = [];
  for (const part of artifact.parts) {
    const last = parts.at(-1);
    if (last?.content?.$case === 'text' && part.content?.$case === 'text' && isPlain(last) && isPlain(part)) {
      parts[parts.length - 1] = textPart(last.content.value + part.content.value);
    } else parts.push(part);
  }
  return { ...artifact, parts };
}

function isPlain({ metadata, filename, mediaType }: Part): boolean {
  return metadata === undefined && filename === '' && mediaType === 'text/plain';
}
