/** What the memory store keeps of a reservation. */
import { bucketDelayLeftUs } from '../strategies/bucket.ts';
import { type Expiring, Expiries } from './expiries.ts';
import { hold, type Step } from './step.ts';
import type { Ask, Holder } from './store.ts';

export interface Held extends Expiring {
  /** Undefined where nobody asks by it. */
  readonly id: string | undefined;
  /** What it holds, by rule and key. */
  parts: readonly Step[];
}

/** Who asks, by the holding or else by the id. */
export type Named = Holder & { readonly id: string };

/** All reservations of a store, by their end and by their id. */
export class Reservations extends Expiries<Held> {
  /** Those that are asked about by their id. Of one id there may be several that hold nothing of one another's keys. */
  readonly #named = new Map<string, readonly Held[]>();

  override add(held: Held): void {
    if (held.id !== undefined) this.#named.set(held.id, [...(this.#named.get(held.id) ?? []), held]);
    super.add(held);
  }

  override remove(held: Held): void {
    if (held.id !== undefined) this.#unname(held, held.id);
    super.remove(held);
  }

  override clear(): void {
    this.#named.clear();
    super.clear();
  }

  /** The reservation that is asked about, where one of the asks has a part of it. */
  find({ id, holding }: Named, asks: readonly Ask[]): Held | undefined {
    if (holding === undefined) return this.#named.get(id)?.find((held) => hasPart(held, asks));
    const held = holding as Held;
    return held.heapIndex >= 0 && hasPart(held, asks) ? held : undefined;
  }

  #unname(held: Held, id: string): void {
    const others = (this.#named.get(id) ?? []).filter((other) => other !== held);
    if (others.length > 0) this.#named.set(id, others);
    else this.#named.delete(id);
  }
}

function hasPart(held: Held, asks: readonly Ask[]): boolean {
  for (const ask of asks) if (partOf(held, ask) !== undefined) return true;
  return false;
}

/** @param place where it is looked for first: a settlement mostly names what was reserved, in its order. */
export function partOf(held: Held, { rule, key }: Pick<Ask, 'rule' | 'key'>, place = 0): Step | undefined {
  const usual = held.parts[place];
  if (usual !== undefined && usual.rule === rule && usual.key === key) return usual;
  for (const part of held.parts) if (part.key === key && part.rule.id === rule.id) return part;
  return undefined;
}

/** How long it still has to wait for its departure from queues. */
export function delayLeftUs(held: Held, asks: readonly Ask[], nowUs: number): number {
  let leftUs = 0;
  for (const ask of asks) {
    const { strategy } = ask.rule;
    const part = partOf(held, ask);
    if (part === undefined || part.held === 0 || strategy.kind !== 'bucket' || strategy.queue === 0) continue;
    leftUs = Math.max(leftUs, bucketDelayLeftUs(strategy, part.mark, nowUs));
  }
  return leftUs;
}

/** Adds a charge to a reservation; what it held under another mark counts as used. */
export function charge(held: Held, added: Step): void {
  hold(added);
  const part = partOf(held, added);
  if (part === undefined) {
    // The list is an answer's as well.
    held.parts = [...held.parts, added];
  } else if (part.mark === added.mark) {
    part.held += added.held;
  } else {
    part.spent += part.held;
    part.held = added.held;
    part.mark = added.mark;
  }
}
