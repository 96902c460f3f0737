/** Errors in words are a few hundred bytes. */
const mostBytes = 16_384;

/** What a failed answer begins with. Its body is taken: give it a clone. */
export async function beginningOf({ body }: Response): Promise<string> {
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
