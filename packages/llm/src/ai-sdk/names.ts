/** The names of the AI SDK's providers, as calls over `fetch` and the price book know them. */
export interface AiNames {
  readonly provider: string;
  readonly api: string;
}

/** @param provider such as `openai.chat`, `google.generative-ai` or `amazon-bedrock`. */
export function namesOf(provider: string): AiNames {
  const [name = provider, ...rest] = provider.split('.');
  if (name === 'google') return { provider: 'gemini', api: 'generateContent' };
  return { provider: name, api: rest.join('.') || 'languageModel' };
}
