/** What hosts refuse that others want: they are not asked for it again. */
export class Refusals {
  readonly #keys = new Set<string>();

  /** Whether any was refused so far. */
  get any(): boolean {
    return this.#keys.size > 0;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  /** Whether an answer refuses it, in such words. If so, its connection is let go, and it is remembered. The answer stays as it is otherwise. */
  async learn(response: Response, key: string, isMeant: (words: string) => boolean): Promise<boolean> {
    const { status, body } = response;
    if ((status !== 400 && status !== 422) || !isMeant(await beginningOf(response.clone()))) return false;
    body?.cancel().catch(() => {});
    if (this.#keys.size >= mostKeys) this.#keys.clear();
    this.#keys.add(key);
    return true;
  }
}

/** Whoever calls many has a few calls made twice. */
const mostKeys = 1_000;
/** Errors in words are a few hundred bytes. */
const mostBytes = 16_384;

async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return '';
  const reader = body.getReader();
  let text = '';
  try {
    while (text.length < mostBytes) {
      const { done, value } = await reader.read();
      if (done) break;
      text += Buffer.from(value).toString('latin1');
    }
  } catch {
    // Whoever reads the body meets the same error.
  }
  reader.cancel().catch(() => {});
  return text;
}
