import type { ServerResponse } from 'node:http';
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@sage-adk/core';
import { sleep } from '@sage-adk/core/deadline';
import type { Behaviour } from './behaviour.ts';
import { delivery, type Ending, type Progress } from './delivery.ts';
import type { Reply } from './reply.ts';

export interface Stage {
  readonly response: ServerResponse;
  /** Aborts when the connection is gone; every wait ends with it. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Waits until it is time for the status. */
export async function latency({ latencyMs = 0 }: Behaviour, { signal, clock }: Stage): Promise<void> {
  if (latencyMs === Number.POSITIVE_INFINITY) await gone(signal);
  else if (latencyMs > 0) await sleep(latencyMs, { signal, clock });
}

/** Sends a reply as its behaviour says. Rejects when the connection is gone before the ending. */
export async function send(
  reply: Reply,
  { behaviour, progress }: { readonly behaviour: Behaviour; readonly progress: Progress },
  stage: Stage,
): Promise<Ending> {
  const { response, signal, clock } = stage;
  const { tokenDelayMs = 0 } = behaviour;
  response.writeHead(reply.status, behaviour.emptyBody ? { ...reply.headers, 'content-length': '0' } : reply.headers);
  let pieces = 0;
  for (const step of delivery(reply, behaviour, progress)) {
    // A turn of the loop between two pieces, so that a client in this process reads them one by one. None before the ending: who has heard
    // the last word may leave at once.
    if (step.kind === 'write' && pieces++ > 0) await setImmediate();
    signal.throwIfAborted();
    switch (step.kind) {
      case 'think':
        if (tokenDelayMs > 0) await sleep(tokenDelayMs, { signal, clock });
        break;
      case 'write':
        await write(step.bytes, stage);
        break;
      case 'stall':
        response.flushHeaders();
        await stall(reply, behaviour, stage);
        break;
      default:
        await finish(step.kind, stage);
        return step.kind;
    }
  }
  return 'end';
}

/** Waits until the bytes are with the system: so they go out as a piece of their own, and a client that does not read makes the provider wait. */
function write(bytes: Uint8Array, { response, signal }: Stage): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    response.write(bytes, (error) => {
      signal.removeEventListener('abort', abort);
      if (error == null) resolve();
      else reject(error);
    });
  });
}

/** Never returns: the client gives up, or the provider closes. */
async function stall(reply: Reply, { keepAliveMs }: Behaviour, stage: Stage): Promise<void> {
  const { signal, clock } = stage;
  if (!reply.streamed || keepAliveMs === undefined) return gone(signal);
  for (;;) {
    await sleep(keepAliveMs, { signal, clock });
    await write(Buffer.from(': keep-alive\n\n'), stage);
  }
}

async function finish(kind: Ending, { response }: Stage): Promise<void> {
  const { socket } = response;
  if (kind !== 'cut' || socket === null) {
    response.end();
    return;
  }
  response.flushHeaders();
  // What was written before reaches the client; the end of the body does not.
  await new Promise((resolve) => socket.write('', resolve));
  socket.destroy();
}

function gone(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
