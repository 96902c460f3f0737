import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';

/** A stream of an agent that has begun, and is not read on. */
export interface SlowStream {
  /** Reads it to its end. Resolves with why it is not whole; undefined where it is. */
  finish(): Promise<string | undefined>;
}

// More than all the buffers on the way hold, so that the agent cannot be done before it is read.
const words = 90_000;
const text = Array.from({ length: words }, (_, index) => index.toString(36).padStart(9, 'word')).join(' ');

/** Asks the agent of this name for a long stream, and stops reading after its first piece. */
export async function openSlowStream(url: string, agentName: string): Promise<SlowStream> {
  const sending = request(url, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', accept: 'text/event-stream', 'x-drill-agent': agentName },
  });
  sending.end(JSON.stringify({ text }));
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  if (response.statusCode !== 200) throw new Error(`The stream was answered with ${response.statusCode}.`);
  await once(response, 'readable');
  return { finish: () => readToEnd(response) };
}

async function readToEnd(response: IncomingMessage): Promise<string | undefined> {
  let pieces = 0;
  let rest = '';
  try {
    for await (const chunk of response.setEncoding('utf8')) {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line === 'event: message.delta') pieces++;
      if (lines.includes('event: message.completed'))
        return pieces > words ? undefined : `${pieces} of ${words} pieces`;
    }
    return `it ended after ${pieces} pieces`;
  } catch (error) {
    return `it broke after ${pieces} pieces: ${String(error)}`;
  }
}
