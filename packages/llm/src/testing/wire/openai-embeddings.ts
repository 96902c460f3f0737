/** @see https://platform.openai.com/docs/api-reference/embeddings */
import { createSeededRandom } from '@sage-adk/core/testing';
import { type Answer, usageMember, type WireFormat, type WireRequest } from './format.ts';
import { numberAt, textAt } from './json.ts';
import { openaiErrors } from './openai-errors.ts';

export const openaiEmbeddings: WireFormat = {
  provider: 'openai',
  api: 'embeddings',
  fits: ({ method, path }) => method === 'POST' && path.endsWith('/embeddings'),
  ask: ({ body }) => ({
    model: textAt(body, 'model') ?? '',
    stream: false,
    maxOutputTokens: 0,
    endsWithToolResult: false,
  }),
  json: (answer, request) => JSON.stringify(embeddings(answer, request)),
  errors: openaiErrors,
};

const usualDimensions = 8;

function embeddings(answer: Answer, { body }: WireRequest): object {
  const { input } = body;
  const inputs: readonly unknown[] = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const dimensions = numberAt(body, 'dimensions') ?? usualDimensions;
  return {
    object: 'list',
    data: inputs.map((text, index) => {
      const vector = vectorOf(JSON.stringify(text) ?? '', dimensions);
      return { object: 'embedding', index, embedding: body['encoding_format'] === 'base64' ? base64(vector) : vector };
    }),
    model: answer.model,
    ...usageMember('usage', answer, ({ inputTokens }) => ({ prompt_tokens: inputTokens, total_tokens: inputTokens })),
  };
}

/** The same vector of length 1 for the same text. */
function vectorOf(text: string, dimensions: number): readonly number[] {
  const seed = Buffer.from(text).reduce((hash, byte) => (Math.imul(hash, 31) + byte) >>> 0, 7);
  const random = createSeededRandom(seed);
  const raw = Array.from({ length: dimensions }, () => random() * 2 - 1);
  const length = Math.hypot(...raw);
  return raw.map((value) => value / length);
}

function base64(vector: readonly number[]): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [index, value] of vector.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
