import { BroadcastChannel } from 'node:worker_threads';
import type { Ask, Report } from './messages.ts';

/** What all threads of a process hear, the sender excepted. It keeps none of them alive. */
export interface Channel {
  postMessage(message: Ask | Report, transfer: readonly []): void;
  addEventListener(type: 'message', listener: (event: object) => void): void;
  close(): void;
}

export function openChannel(listener: (message: unknown) => void): Channel {
  const broadcast = new BroadcastChannel('@sage-adk/metrics');
  broadcast.unref();
  const channel: Channel = broadcast;
  channel.addEventListener('message', (event) => listener('data' in event ? event.data : undefined));
  return channel;
}
