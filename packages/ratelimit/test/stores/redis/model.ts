/** What the scripts must answer: the port over the arithmetic in TypeScript, as plainly as it can be said. Time is set by hand. */
import type { Answer, Ask, DecideRequest, Finding, Holding, Settlement } from '../../../src/stores/store.ts';
import * as bucket from '../../../src/strategies/bucket.ts';
import * as sliding from '../../../src/strategies/sliding.ts';
import * as slots from '../../../src/strategies/slots.ts';
import type { CompiledStrategy } from '../../../src/strategies/strategy.ts';
import * as fixed from '../../../src/strategies/window.ts';

type State =
  | { kind: 'bucket'; weight: number; state: bucket.BucketState }
  | { kind: 'window'; state: fixed.WindowState }
  | { kind: 'sliding'; state: sliding.SlidingState }
  | { kind: 'slots'; active: number };

interface Part {
  readonly ask: Ask;
  held: number;
  spent: number;
  mark: number;
}

interface Lease {
  readonly id: string;
  expiresUs: number;
  parts: Part[];
}

interface Step {
  readonly ask: Ask;
  readonly rule: Counted;
  readonly waitUs: number;
}

/** A copy of one rule's state at one time. */
interface Counted {
  /** Makes the copy the state. */
  keep?(): void;
  waitUs(cost: number, maxWaitUs: number): number;
  delayUs(cost: number): number;
  spend(cost: number): void;
  hold(cost: number): number;
  settle(held: number, mark: number, used: number): void;
  remaining(): number;
  resetUs(): number;
  over(): number;
}

export class Model {
  nowUs: number;
  readonly #states = new Map<string, State>();
  readonly #leases = new Map<string, Lease>();

  constructor(nowUs: number) {
    this.nowUs = nowUs;
  }

  /**
   * Lets time pass, or sets the clock back: never to before the end of a lease that is over. Whether such a one is seen again depends on whether something
   * was written since, and is not promised.
   */
  pass(us: number): void {
    const ended = [...this.#leases.values()].map(({ expiresUs }) => expiresUs).filter((endUs) => endUs <= this.nowUs);
    this.nowUs = us < 0 ? Math.max(this.nowUs + us, ...ended) : this.nowUs + us;
  }

  decide(request: DecideRequest): Answer {
    this.#expire(request.asks);
    const { kind, asks } = request;
    const lease = 'id' in request ? this.#leaseOf(request.id, asks) : undefined;
    const maxWaitUs = kind === 'reserve' ? request.maxWaitUs : 0;
    const forced = kind === 'lower' || (kind === 'consume' && request.force === true);
    const steps = asks.map((ask) => {
      const rule = this.#count(ask, this.nowUs);
      return { ask, rule, waitUs: rule.waitUs(ask.cost, maxWaitUs) };
    });
    const fits = forced || steps.every(({ ask, waitUs }) => waitUs === 0 || ask.rule.mode === 'shadow');
    if (kind === 'reserve' && lease !== undefined)
      return { ...answer(steps, true, this.#leftUs(lease, asks)), repeated: true };
    if (kind === 'charge' && lease === undefined) return { ...answer(steps, false, 0), gone: true };
    if (!fits || kind === 'peek') return answer(steps, fits, 0);
    const charged = steps.filter(({ waitUs }) => forced || waitUs === 0);
    let delayUs = 0;
    switch (kind) {
      case 'consume':
        for (const step of charged) spend(step, step.ask.cost);
        break;
      case 'lower':
        for (const step of charged) spend(step, Math.max(0, step.rule.remaining() - step.ask.cost));
        break;
      case 'reserve': {
        delayUs = Math.max(0, ...charged.map(({ ask, rule }) => rule.delayUs(ask.cost)));
        const made: Lease = { id: request.id, expiresUs: this.nowUs + delayUs + request.ttlUs, parts: [] };
        this.#leases.set(request.id, made);
        for (const step of charged) hold(made, step);
        break;
      }
      case 'charge':
        if (lease !== undefined) for (const step of charged) hold(lease, step);
    }
    return answer(steps, true, delayUs);
  }

  settle(id: string, asks: readonly Ask[]): Settlement {
    this.#expire(asks);
    const lease = this.#leaseOf(id, asks);
    const over = asks.map((ask) => {
      const part = lease && partOf(lease, ask);
      if (lease === undefined || part === undefined) return 0;
      lease.parts = lease.parts.filter((other) => other !== part);
      const rule = this.#count(ask, this.nowUs);
      rule.settle(part.held, part.mark, Math.max(0, ask.cost - part.spent));
      rule.keep?.();
      return rule.over();
    });
    return { settled: lease !== undefined, over };
  }

  extend(id: string, asks: readonly Ask[], ttlUs: number): boolean {
    this.#expire(asks);
    const lease = this.#leaseOf(id, asks);
    if (lease !== undefined) lease.expiresUs = this.nowUs + ttlUs;
    return lease !== undefined;
  }

  reset(asks: readonly Ask[]): void {
    const whole = asks.filter(({ rule }) => rule.strategy.kind !== 'slots');
    this.#expire(whole);
    for (const ask of whole) {
      this.#states.delete(nameOf(ask));
      for (const lease of this.#leases.values())
        lease.parts = lease.parts.filter((part) => nameOf(part.ask) !== nameOf(ask));
    }
  }

  /** Rows of these asks. */
  snapshot(asks: readonly Ask[]): Holding[] {
    this.#expire(asks);
    return asks.flatMap((ask) => {
      const counted = this.#count(ask, this.nowUs);
      const { rule, key } = ask;
      const row = { rule, key, remaining: counted.remaining(), resetAfterUs: counted.resetUs() };
      return row.resetAfterUs > 0 ? [row] : [];
    });
  }

  /** What is left of the wait for the last of the departures. */
  #leftUs(lease: Lease, asks: readonly Ask[]): number {
    const left = asks.map((ask) => {
      const { strategy } = ask.rule;
      const part = partOf(lease, ask);
      if (part === undefined || part.held === 0 || strategy.kind !== 'bucket' || strategy.queue === 0) return 0;
      return bucket.bucketDelayLeftUs(strategy, part.mark, this.nowUs);
    });
    return Math.max(0, ...left);
  }

  #leaseOf(id: string, asks: readonly Ask[]): Lease | undefined {
    const lease = this.#leases.get(id);
    return lease !== undefined && asks.some((ask) => partOf(lease, ask)) ? lease : undefined;
  }

  /** What is over is settled as of its expiry, when a call comes across its place. */
  #expire(asks: readonly Ask[]): void {
    const met = new Set(asks.map(placeOf));
    const due = [...this.#leases.values()].filter(({ expiresUs }) => expiresUs <= this.nowUs);
    for (const lease of due.toSorted(byExpiry)) {
      for (const { ask, held, mark } of lease.parts.filter((part) => met.has(placeOf(part.ask)))) {
        const returns = ask.rule.returnsOnExpiry || ask.rule.strategy.kind === 'slots';
        if (!returns) continue;
        const rule = this.#count(ask, lease.expiresUs);
        rule.settle(held, mark, 0);
        rule.keep?.();
      }
      lease.parts = lease.parts.filter((part) => !met.has(placeOf(part.ask)));
    }
  }

  #count(ask: Ask, nowUs: number): Counted {
    const { strategy } = ask.rule;
    const state = structuredClone(this.#states.get(nameOf(ask)) ?? freshState(strategy));
    return { ...countedAt(strategy, state, nowUs), keep: () => void this.#states.set(nameOf(ask), state) };
  }
}

function byExpiry(a: Lease, b: Lease): number {
  return a.expiresUs - b.expiresUs || (a.id < b.id ? -1 : 1);
}

function nameOf({ rule, key }: Ask): string {
  return `${rule.id} ${key}`;
}

function placeOf({ rule, key }: Ask): string {
  return `${rule.space} ${key}`;
}

function partOf({ parts }: Lease, ask: Ask): Part | undefined {
  return parts.find((part) => nameOf(part.ask) === nameOf(ask));
}

function spend({ rule }: Step, cost: number): void {
  if (cost === 0) return;
  rule.spend(cost);
  rule.keep?.();
}

function hold(lease: Lease, { ask, rule }: Step): void {
  const mark = rule.hold(ask.cost);
  rule.keep?.();
  const part = partOf(lease, ask);
  if (part === undefined) lease.parts.push({ ask, held: ask.cost, spent: 0, mark });
  else if (part.mark === mark) part.held += ask.cost;
  else Object.assign(part, { spent: part.spent + part.held, held: ask.cost, mark });
}

function answer(steps: readonly Step[], allowed: boolean, delayUs: number): Answer {
  const findings = steps.map(({ ask, rule, waitUs }): Finding => {
    const retryAfterUs = Number.isFinite(waitUs) ? waitUs : undefined;
    return { ...ask, allowed: waitUs === 0, remaining: rule.remaining(), resetAfterUs: rule.resetUs(), retryAfterUs };
  });
  return { allowed, findings, delayUs, source: 'store' };
}

function freshState(strategy: CompiledStrategy): State {
  if (strategy.kind === 'bucket') return { kind: 'bucket', weight: strategy.weight, state: bucket.freshBucket() };
  if (strategy.kind === 'window') return { kind: 'window', state: fixed.freshWindow() };
  return strategy.kind === 'sliding' ? { kind: 'sliding', state: [] } : { kind: 'slots', active: 0 };
}

function countedAt(strategy: CompiledStrategy, kept: State, nowUs: number): Counted {
  if (strategy.kind === 'bucket' && kept.kind === 'bucket') return countedBucket(strategy, kept, nowUs);
  if (strategy.kind === 'window' && kept.kind === 'window') return countedWindow(strategy, kept.state, nowUs);
  if (strategy.kind === 'sliding' && kept.kind === 'sliding') return countedSliding(strategy, kept.state, nowUs);
  if (strategy.kind === 'slots' && kept.kind === 'slots') return countedSlots(strategy, kept);
  throw new Error(`A state of ${kept.kind} for a rule of ${strategy.kind}.`);
}

function countedBucket(strategy: bucket.Bucket, kept: State & { kind: 'bucket' }, nowUs: number): Counted {
  const { state } = kept;
  if (kept.weight !== strategy.weight) bucket.reweigh(state, kept.weight, strategy.weight);
  kept.weight = strategy.weight;
  bucket.drainTo(strategy, state, nowUs);
  return {
    waitUs: (cost, maxWaitUs) => bucket.bucketWaitUs(strategy, state, cost, maxWaitUs),
    delayUs: (cost) => bucket.bucketDelayUs(strategy, state, cost),
    spend: (cost) => bucket.spendFromBucket(strategy, state, cost),
    hold: (cost) => bucket.holdInBucket(strategy, state, cost),
    settle: (held, mark, used) => bucket.settleBucket(strategy, state, held, mark, used),
    remaining: () => bucket.bucketRemaining(strategy, state),
    resetUs: () => bucket.bucketResetUs(strategy, state),
    over: () => bucket.bucketOver(strategy, state),
  };
}

function countedWindow(strategy: fixed.Window, state: fixed.WindowState, nowUs: number): Counted {
  const span = fixed.openWindow(strategy, state, nowUs, strategy.calendar?.boundariesAround(nowUs / 1_000));
  return {
    waitUs: (cost) => fixed.windowWaitUs(strategy, state, cost, span, nowUs),
    delayUs: () => 0,
    spend: (cost) => void fixed.spendFromWindow(state, cost),
    hold: (cost) => fixed.spendFromWindow(state, cost),
    settle: (held, mark, used) => fixed.settleWindow(state, held, mark, used),
    remaining: () => fixed.windowRemaining(strategy, state),
    resetUs: () => fixed.windowResetUs(state, span, nowUs),
    over: () => Math.max(0, state.used - strategy.limit),
  };
}

function countedSliding(strategy: sliding.Sliding, state: sliding.SlidingState, nowUs: number): Counted {
  return {
    waitUs: (cost) => sliding.slidingWaitUs(strategy, state, cost, nowUs),
    delayUs: () => 0,
    spend: (cost) => void sliding.spendFromSliding(strategy, state, cost, nowUs),
    hold: (cost) => sliding.spendFromSliding(strategy, state, cost, nowUs),
    settle: (held, mark, used) => sliding.settleSliding(strategy, state, held, mark, used, nowUs),
    remaining: () => Math.max(0, strategy.limit - sliding.usedIn(strategy, state, nowUs)),
    resetUs: () => sliding.slidingResetUs(strategy, state, nowUs),
    over: () => Math.max(0, sliding.usedIn(strategy, state, nowUs) - strategy.limit),
  };
}

function countedSlots(strategy: slots.Slots, kept: { active: number }): Counted {
  return {
    waitUs: (cost) => slots.slotsWaitUs(strategy, kept.active, cost),
    delayUs: () => 0,
    spend: () => {},
    hold: (cost) => {
      kept.active += cost;
      return 0;
    },
    settle: (held) => {
      kept.active = Math.max(0, kept.active - held);
    },
    remaining: () => slots.slotsRemaining(strategy, kept.active),
    resetUs: () => slots.slotsResetUs(kept.active),
    over: () => 0,
  };
}
