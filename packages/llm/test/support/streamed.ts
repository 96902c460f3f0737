/** Events without a name, as most providers send them: JSON, or the word itself. */
export function eventsOf(...events: readonly unknown[]): readonly string[] {
  return events.map((one) => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`);
}

/** A piece of an answer of OpenAI's chat completions. */
export function chatPiece(content: string, more: object = {}): object {
  return { choices: [{ index: 0, delta: { content }, finish_reason: null, ...more }] };
}

export interface StreamedOptions {
  /** Milliseconds before each piece. @default 0 */
  readonly gapMs?: number;
  /** @default 'text/event-stream' */
  readonly type?: string;
}

/** An answer that gives a piece whenever it is asked for one. */
export function streamed(pieces: readonly string[], { gapMs = 0, type }: StreamedOptions = {}): Response {
  let next = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (gapMs > 0) await new Promise((resolve) => setTimeout(resolve, gapMs));
        const piece = pieces[next++];
        if (piece === undefined) controller.close();
        else controller.enqueue(Buffer.from(piece));
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { 'content-type': type ?? 'text/event-stream' } });
}

/** As a connection gives them that sends 64 KB at a time. */
export function inPieces(text: string): readonly string[] {
  return text.match(/[^]{1,65536}/g) ?? [];
}

export const chatUrl = 'https://api.test/v1/chat/completions';
export const askStream = { method: 'POST', body: '{"model":"m","messages":[],"stream":true}' };
export const askWhole = { method: 'POST', body: '{"model":"m","messages":[]}' };

/** Resolves a moment later with what says that nothing else did before. */
export function nothingWithin(ms: number): Promise<string> {
  return new Promise((resolve) => setTimeout(() => resolve('nothing'), ms).unref());
}
