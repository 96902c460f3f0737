/** A request of each API that streams, as bytes and header fields: what every SDK sends in the end. */
export interface WireCase {
  readonly name: string;
  readonly provider: 'openai' | 'anthropic' | 'gemini';
  readonly api: string;
  readonly model: string;
  /** @param more members laid over the body. */
  ask(more?: Record<string, unknown>): {
    readonly path: string;
    readonly init: { method: 'POST'; body: string; headers: Record<string, string> };
  };
  /** The same without a stream. */
  askWhole(more?: Record<string, unknown>): ReturnType<WireCase['ask']>;
}

const prompt = 'What time is it in Seoul?';

function request(path: string, body: Record<string, unknown>) {
  const headers = { 'content-type': 'application/json' };
  return { path, init: { method: 'POST' as const, body: JSON.stringify(body), headers } };
}

export const chat: WireCase = {
  name: 'OpenAI chat',
  provider: 'openai',
  api: 'chat',
  model: 'gpt-4.1',
  ask: (more) => chat.askWhole({ stream: true, ...more }),
  askWhole: (more) =>
    request('/v1/chat/completions', { model: 'gpt-4.1', messages: [{ role: 'user', content: prompt }], ...more }),
};

export const completions: WireCase = {
  name: 'OpenAI completions',
  provider: 'openai',
  api: 'completions',
  model: 'gpt-3.5-turbo-instruct',
  ask: (more) => completions.askWhole({ stream: true, ...more }),
  askWhole: (more) => request('/v1/completions', { model: 'gpt-3.5-turbo-instruct', prompt, ...more }),
};

export const responses: WireCase = {
  name: 'OpenAI responses',
  provider: 'openai',
  api: 'responses',
  model: 'gpt-4.1',
  ask: (more) => responses.askWhole({ stream: true, ...more }),
  askWhole: (more) => request('/v1/responses', { model: 'gpt-4.1', input: prompt, ...more }),
};

export const anthropic: WireCase = {
  name: 'Anthropic messages',
  provider: 'anthropic',
  api: 'messages',
  model: 'claude-sonnet-4-5',
  ask: (more) => anthropic.askWhole({ stream: true, ...more }),
  askWhole: (more) =>
    request('/v1/messages', {
      model: 'claude-sonnet-4-5',
      max_tokens: 1_000,
      messages: [{ role: 'user', content: prompt }],
      ...more,
    }),
};

const contents = { contents: [{ role: 'user', parts: [{ text: prompt }] }] };

export const gemini: WireCase = {
  name: 'Gemini',
  provider: 'gemini',
  api: 'generateContent',
  model: 'gemini-2.5-flash',
  ask: (more) => request('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', { ...contents, ...more }),
  askWhole: (more) => request('/v1beta/models/gemini-2.5-flash:generateContent', { ...contents, ...more }),
};

export const wires: readonly WireCase[] = [chat, completions, responses, anthropic, gemini];
