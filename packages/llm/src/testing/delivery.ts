/** What of an answer is sent, in which pieces, and how it ends: a plan without sockets or timers. */
import type { Behaviour, BytePlace } from './behaviour.ts';
import type { Reply } from './reply.ts';
import { malformed } from './wire/sse.ts';

export type Step =
  | { readonly kind: 'write'; readonly bytes: Uint8Array }
  /** The model thinks about its next token. */
  | { readonly kind: 'think' }
  | { readonly kind: Ending };

/** The body ends in good order, after all of it or too early, or the connection breaks, or nothing more comes. */
export type Ending = 'end' | 'early' | 'cut' | 'stall';

/** What was sent so far. */
export interface Progress {
  events: number;
  contents: number;
}

/** The steps of one answer; the last is its ending. `progress` is kept as they are taken. */
export function delivery(reply: Reply, behaviour: Behaviour, progress: Progress): Iterable<Step> {
  if (behaviour.emptyBody) return [{ kind: 'early' }];
  const limited = withinBytes(sequence(reply, behaviour, progress), behaviour);
  return behaviour.chunkBytes === undefined ? limited : rechunked(limited, behaviour.chunkBytes);
}

function* sequence(reply: Reply, behaviour: Behaviour, progress: Progress): Generator<Step> {
  const { malformedAt, errorEventAt } = behaviour;
  let after = false;
  for (const event of reply.events) {
    const isHere = (place: BytePlace | undefined): boolean =>
      reached(place, progress, { after, before: event.content });
    const ending = endingAt(behaviour, isHere);
    if (ending !== undefined) {
      yield { kind: ending };
      return;
    }
    if (isHere(errorEventAt)) {
      yield write(reply.errorEvent(progress.events));
      yield { kind: 'early' };
      return;
    }
    if (event.content && reply.streamed) yield { kind: 'think' };
    const text = isHere(malformedAt) ? malformed(event.text) : event.text;
    progress.events++;
    if (event.content) progress.contents++;
    yield write(text);
    after = event.content;
  }
  const ending = endingAt(behaviour, (place) => reached(place, progress, { after, before: false }));
  yield { kind: ending ?? (behaviour.neverEnd ? 'stall' : 'end') };
}

function endingAt(
  { cutAfter, endAfter, stallAfter }: Behaviour,
  isHere: (place: BytePlace | undefined) => boolean,
): Ending | undefined {
  if (isHere(cutAfter)) return 'cut';
  if (isHere(stallAfter)) return 'stall';
  return isHere(endAfter) ? 'early' : undefined;
}

/** Whether a place is here, between an event of which `after` says whether it was content, and one of which `before` says so. */
function reached(
  place: BytePlace | undefined,
  { events, contents }: Progress,
  { after, before }: { readonly after: boolean; readonly before: boolean },
): boolean {
  if (place === undefined) return false;
  if (typeof place === 'number') return events === place;
  return 'contents' in place && contents === place.contents && (place.contents > 0 ? after : before);
}

function write(text: string): Step {
  return { kind: 'write', bytes: Buffer.from(text) };
}

/** Stops after so many bytes, in the way that the behaviour says. */
function* withinBytes(steps: Iterable<Step>, behaviour: Behaviour): Generator<Step> {
  const { cutAfter, stallAfter, endAfter } = behaviour;
  const limits = Object.entries({ cut: cutAfter, stall: stallAfter, early: endAfter }).flatMap(([kind, place]) =>
    typeof place === 'object' && 'bytes' in place ? [{ kind: kind as Ending, bytes: place.bytes }] : [],
  );
  const [first] = limits.sort((a, b) => a.bytes - b.bytes);
  let left = first?.bytes ?? Number.POSITIVE_INFINITY;
  for (const step of steps) {
    if (step.kind !== 'write') {
      yield step;
      continue;
    }
    yield { kind: 'write', bytes: step.bytes.subarray(0, left) };
    left -= step.bytes.length;
    if (first !== undefined && left <= 0) {
      yield { kind: first.kind };
      return;
    }
  }
}

/** The same bytes in pieces of one size, whatever the events are, as a proxy that buffers sends them. */
function* rechunked(steps: Iterable<Step>, size: number): Generator<Step> {
  let kept: Uint8Array = new Uint8Array();
  for (const step of steps) {
    if (step.kind === 'think') yield step;
    else if (step.kind === 'write') {
      kept = Buffer.concat([kept, step.bytes]);
      for (; kept.length >= size; kept = kept.subarray(size)) yield { kind: 'write', bytes: kept.subarray(0, size) };
    } else {
      if (kept.length > 0) yield { kind: 'write', bytes: kept };
      yield step;
    }
  }
}
