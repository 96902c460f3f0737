/** Names of models and providers, as different as they are written for the same. */

/** A provider as tables know it: without the API that some clients add (`openai.chat`), and with one name for Google's. */
export function providerName(provider: string): string {
  const [name = ''] = provider.trim().toLowerCase().split('.');
  return googleNames.has(name) ? 'gemini' : name;
}

const googleNames: ReadonlySet<string> = new Set(['google', 'google-generative-ai', 'vertex', 'google-vertex']);

/** A model as tables know it. */
export function modelName(model: string): string {
  const name = model.trim().toLowerCase();
  return name.startsWith('models/') ? name.slice('models/'.length) : name;
}

/** The family of a dated version; the name itself where it has no date. Only what names no other model is taken off: a date, a number such as 001, `latest`. */
export function familyOf(name: string): string {
  return name.replace(/(?:-\d{4}-\d{2}-\d{2}|[-@]\d{8}|-0\d{2}|[-@]latest|@default)$/, '');
}
