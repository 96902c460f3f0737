/** One request for each API, with a limit of its own and without. */
export interface Ask {
  readonly provider: string;
  readonly model: string;
  readonly path: string;
  readonly body: unknown;
}

const content = 'Tell me how much a call of a model may cost, in a few words.';
const messages = [{ role: 'user', content }];
const contents = [{ role: 'user', parts: [{ text: content }] }];
const chat = { provider: 'openai', model: 'gpt-4.1', path: '/v1/chat/completions' };
const responses = { provider: 'openai', model: 'gpt-5-mini', path: '/v1/responses' };
const claude = { provider: 'anthropic', model: 'claude-sonnet-5', path: '/v1/messages' };
const gemini = {
  provider: 'gemini',
  model: 'gemini-2.5-flash',
  path: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
};

export const asks: readonly Ask[] = [
  { ...chat, body: { model: chat.model, messages, stream: true } },
  { ...chat, body: { model: chat.model, messages, stream: true, max_tokens: 40 } },
  { ...responses, body: { model: responses.model, input: content, stream: true } },
  { ...responses, body: { model: responses.model, input: content, stream: true, max_output_tokens: 40 } },
  { ...claude, body: { model: claude.model, messages, stream: true, max_tokens: 60 } },
  { ...gemini, body: { contents } },
  { ...gemini, body: { contents, generationConfig: { maxOutputTokens: 40 } } },
];
