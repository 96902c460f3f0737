/** Plays traffic on a store and holds every answer against what the rule promises. */
import { strict as assert } from 'node:assert';
import { createSeededRandom } from '@sage-adk/core/testing';
import { compileRule, type CompiledRule } from '../../src/compile.ts';
import type { Rule } from '../../src/index.ts';
import type { Ask } from '../../src/stores/store.ts';
import type { Call } from '../support/traffic.ts';
import type { Charge, RulePromise } from './promises.ts';
import type { TimedStore } from './timed-stores.ts';

/** `calls` only charges; `reservations` also reserves, and settles with less, as much or more, cancels, extends and lets expire. */
export type Mix = 'calls' | 'reservations';

/** Resolves to the units that were admitted. Rejects where an answer breaks the promise. */
export async function play(
  timed: TimedStore,
  promise: RulePromise,
  calls: readonly Call[],
  mix: Mix,
  seed = 1,
): Promise<number> {
  const player = new Player(timed, promise, createSeededRandom(seed));
  for (const { gapUs, cost } of calls) {
    player.pass(gapUs);
    await (mix === 'calls' ? player.consume(cost) : player.doAny(cost));
  }
  return player.admitted;
}

/** A reservation that nobody settled yet. */
interface Open {
  readonly id: string;
  readonly charge: Charge;
  readonly held: number;
  expiresUs: number;
}

const maxWaitUs = 20_000_000;
const mostCharges = 500;

class Player {
  /** Units; more than was admitted may be used. */
  admitted = 0;
  readonly #timed: TimedStore;
  readonly #promise: RulePromise;
  readonly #rule: CompiledRule;
  readonly #random: () => number;
  readonly #charges: Charge[] = [];
  readonly #open: Open[] = [];
  #ids = 0;

  constructor(timed: TimedStore, promise: RulePromise, random: () => number) {
    this.#timed = timed;
    this.#promise = promise;
    this.#rule = compiled(promise.rule);
    this.#random = random;
  }

  pass(us: number): void {
    this.#timed.nowUs += us;
    if (this.#rule.returnsOnExpiry || this.#isSlots) {
      for (const { charge, expiresUs } of this.#open) if (!this.#isLive(expiresUs)) charge.units = 0;
    }
    const oldUs = this.#timed.nowUs - 3 * this.#promise.periodUs;
    const [first] = this.#charges;
    if (first === undefined || first.atUs > oldUs || this.#charges.length < mostCharges) return;
    this.#charges.splice(0, this.#charges.findLastIndex(({ atUs }) => atUs <= oldUs) + 1);
  }

  async doAny(cost: number): Promise<void> {
    const luck = this.#random();
    const one = this.#open[Math.floor(this.#random() * this.#open.length)];
    if (this.#isSlots) await (luck < 0.6 || one === undefined ? this.#reserve(1) : this.#end(one));
    else if (luck < 0.45) await this.consume(cost);
    else if (luck < 0.75) await this.#reserve(cost);
    else if (luck < 0.77) await this.#force(cost);
    else if (one !== undefined) await this.#end(one);
  }

  async consume(cost: number): Promise<void> {
    const { allowed } = await this.#timed.store.decide({ kind: 'consume', asks: [this.#ask(cost)] });
    this.#judge(allowed, cost);
    if (allowed) this.#admit(cost);
  }

  async #force(cost: number): Promise<void> {
    await this.#timed.store.decide({ kind: 'consume', asks: [this.#ask(cost)], force: true });
    this.#add(cost);
  }

  async #reserve(cost: number): Promise<void> {
    const { store, nowUs } = this.#timed;
    const id = `reservation-${this.#ids++}`.padEnd(22, '_');
    const ttlUs = Math.ceil(this.#promise.periodUs * (0.1 + 2 * this.#random()));
    const { allowed, delayUs } = await store.decide({ kind: 'reserve', id, asks: [this.#ask(cost)], ttlUs, maxWaitUs });
    this.#judge(allowed, cost, delayUs);
    assert.ok(delayUs <= maxWaitUs);
    if (!allowed) return;
    this.#open.push({ id, charge: this.#admit(cost, delayUs), held: cost, expiresUs: nowUs + delayUs + ttlUs });
  }

  async #end(one: Open): Promise<void> {
    if (this.#random() < 0.2) {
      await this.#extend(one);
    } else {
      this.#open.splice(this.#open.indexOf(one), 1);
      await this.#settle(one);
    }
  }

  async #extend(one: Open): Promise<void> {
    const isLive = this.#isLive(one.expiresUs);
    const ttlUs = Math.ceil(this.#promise.periodUs * this.#random()) + 1;
    assert.equal(await this.#timed.store.extend({ id: one.id, asks: [this.#ask(0)], ttlUs }), isLive);
    if (isLive) one.expiresUs = this.#timed.nowUs + ttlUs;
  }

  async #settle({ id, charge, held, expiresUs }: Open): Promise<void> {
    const used = this.#isSlots ? 0 : usedOf(held, this.#random);
    const settlement = { id, asks: [this.#ask(used)] };
    assert.equal((await this.#timed.store.settle(settlement)).settled, this.#isLive(expiresUs));
    assert.equal((await this.#timed.store.settle(settlement)).settled, false);
    if (!this.#isLive(expiresUs)) return;
    charge.units = Math.min(held, used);
    if (used > held) this.#add(used - held);
  }

  #judge(allowed: boolean, cost: number, delayUs = 0): void {
    if (cost === 0) return;
    const { nowUs } = this.#timed;
    const more = { atUs: nowUs, departsUs: nowUs + delayUs, units: cost };
    if (!allowed) assert.ok(this.#promise.mayDeny(this.#charges, more), 'denied where there was room');
    const over = allowed ? this.#promise.over(this.#charges, more) : 0;
    assert.ok(over <= 0, `admitted ${over} units beyond the promise`);
  }

  #admit(units: number, delayUs = 0): Charge {
    this.admitted += units;
    return this.#add(units, delayUs);
  }

  #add(units: number, delayUs = 0): Charge {
    const { nowUs } = this.#timed;
    const charge = { atUs: nowUs, departsUs: nowUs + delayUs, units };
    if (units > 0) this.#promise.note?.(this.#charges, nowUs);
    this.#charges.push(charge);
    return charge;
  }

  #ask(cost: number): Ask {
    return { rule: this.#rule, key: this.#timed.key, cost };
  }

  #isLive(expiresUs: number): boolean {
    return this.#timed.nowUs < expiresUs;
  }

  get #isSlots(): boolean {
    return this.#rule.strategy.kind === 'slots';
  }
}

function usedOf(held: number, random: () => number): number {
  const luck = random();
  if (luck < 0.2) return 0;
  if (luck < 0.65) return Math.floor(random() * (held + 1));
  return luck < 0.8 ? held : held + Math.ceil(random() * held);
}

export function compiled(rule: Rule): CompiledRule {
  const made = compileRule(rule, 'user');
  if (made === undefined) throw new TypeError(`Rule ${rule.name} has no limit.`);
  return made;
}
