import type { WireEvent } from './format.ts';
import type { Json } from './json.ts';

export interface Typed extends Json {
  readonly type: string;
}

/** An event that has no name, as OpenAI's chat completions send them. */
export function dataEvent(data: unknown, content = false): WireEvent {
  return { text: `data: ${JSON.stringify(data)}\n\n`, content };
}

/** An event that is named by the `type` of its data. */
export function typedEvent(data: Typed, content = false): WireEvent {
  return { text: `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`, content };
}

/** The event with the second half of its JSON missing; what is not an event loses its second half. */
export function malformed(text: string): string {
  const from = text.indexOf('data: ') < 0 ? 0 : text.indexOf('data: ') + 'data: '.length;
  const until = text.trimEnd().length;
  return text.slice(0, from + Math.ceil((until - from) / 2)) + text.slice(until);
}
