import { randomUUID } from 'node:crypto';
import { type Message, type Part, Role, type SendMessageRequest, type StreamResponse, type Task } from '@a2a-js/sdk';
import { type Client, ClientFactory, ClientFactoryOptions } from '@a2a-js/sdk/client';

export type Binding = 'JSONRPC' | 'HTTP+JSON';

/** The official client, on the binding that is asked for. */
export function connect(url: string, binding: Binding): Promise<Client> {
  const options = ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { preferredTransports: [binding] });
  return new ClientFactory(options).createFromUrl(url);
}

/** A request with one text, in its own conversation unless one is named. */
export function say(text: string, fields: Partial<Message> = {}): SendMessageRequest {
  const message: Message = {
    messageId: randomUUID(),
    contextId: '',
    taskId: '',
    role: Role.ROLE_USER,
    parts: [part(text)],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
    ...fields,
  };
  return { tenant: '', message, configuration: undefined, metadata: undefined };
}

export function part(text: string): Part {
  return { content: { $case: 'text', value: text }, metadata: undefined, filename: '', mediaType: 'text/plain' };
}

export function textOf(parts: readonly Part[] = []): string {
  return parts.map(({ content }) => (content?.$case === 'text' ? content.value : '')).join('');
}

export function isTask(reply: Message | Task): reply is Task {
  return 'artifacts' in reply;
}

/** What a stream told, by kind. */
export async function gather(stream: AsyncIterable<StreamResponse>) {
  const kinds: string[] = [];
  const pieces: string[] = [];
  let task: Task | undefined;
  let state: number | undefined;
  for await (const { payload } of stream) {
    kinds.push(payload?.$case ?? 'nothing');
    if (payload?.$case === 'task') task = payload.value;
    if (payload?.$case === 'artifactUpdate') pieces.push(textOf(payload.value.artifact?.parts));
    if (payload?.$case === 'statusUpdate') state = payload.value.status?.state;
  }
  return { kinds, pieces, task, state };
}
