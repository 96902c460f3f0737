import { once } from 'node:events';
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
  const { response, signal } = stage;
  response.writeHead(reply.status, behaviour.emptyBody ? { ...reply.headers, 'content-length': '0' } : reply.headers);
  for (const step of delivery(reply, behaviour, progress)) {
    signal.throwIfAborted();
    switch (step.kind) {
      case 'think':
        await think(behaviour, stage);
        break;
      case 'write':
        if (!response.write(step.bytes)) await once(response, 'drain', { signal });
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

async function think({ tokenDelayMs = 0, endless }: Behaviour, { signal, clock }: Stage): Promise<void> {
  if (tokenDelayMs > 0) await sleep(tokenDelayMs, { signal, clock });
  // What never ends must let others have their turn.
  else if (endless) await setImmediate(undefined, { signal });
}

/** Never returns: the client gives up, or the provider closes. */
async function stall(reply: Reply, { keepAliveMs }: Behaviour, { response, signal, clock }: Stage): Promise<void> {
  if (!reply.streamed || keepAliveMs === undefined) return gone(signal);
  for (;;) {
    await sleep(keepAliveMs, { signal, clock });
    response.write(': keep-alive\n\n');
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
