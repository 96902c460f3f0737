/** What scripts are sent: the Redis keys of the asks, and the asks as a row of arguments. */
import { hash } from 'node:crypto';
import type { CompiledRule } from '../../compile.ts';
import { packedKinds, packStrategy } from '../../strategies/strategy.ts';
import type { Ask } from '../store.ts';

/** How keys of one store begin. The braces make all of them lie in one slot of a cluster. */
export interface KeySpace {
  readonly hashes: string;
  readonly leases: string;
}

export function keySpaceOf(prefix: string, tag: string): KeySpace {
  return { hashes: `{${prefix}:${tag}}:s:`, leases: `{${prefix}:${tag}}:r:` };
}

/** Asks as scripts take them. */
export interface PackedAsks {
  /** The asks in the order of the arguments: those of one place lie side by side. */
  readonly asks: readonly Ask[];
  /** The hash and the sorted set of each place. */
  readonly keys: readonly string[];
}

/** How many numbers of a packed strategy a script is sent, by its kind; the kind is one of them. That a window is anchored is a flag of its code. */
export const widths = { bucket: 5, window: 3, calendar: 6, sliding: 4, slots: 2 } as const;

const widthOf = new Map<number, number>(
  Object.entries(packedKinds).map(([name, kind]) => [kind, widths[name as keyof typeof widths]]),
);

/**
 * Adds asks to the arguments of a script: for each place the number of its asks, the ids of their rules, and for each ask its code, its cost and what a strategy
 * of its kind needs. A code is a kind, plus 8 for an enforced rule, 16 for one that returns what nobody settled, and 32 for an anchored window.
 */
export function packAsks(space: KeySpace, asks: readonly Ask[], nowMs: number, into: string[]): PackedAsks {
  const keys: string[] = [];
  const ordered: Ask[] = [];
  for (const place of placesOf(asks)) {
    packPlace(place, nowMs, into);
    const [first] = place;
    const name = `${nameOfSpace(first.rule)}:${first.key}`;
    keys.push(space.hashes + name, space.leases + name);
    ordered.push(...place);
  }
  return { asks: ordered, keys };
}

/** Rules of one space have one key. */
function placesOf(asks: readonly Ask[]): readonly (readonly [Ask, ...Ask[]])[] {
  const places: [Ask, ...Ask[]][] = [];
  for (const ask of asks) {
    const place = places.find(([{ rule }]) => rule.space === ask.rule.space);
    if (place === undefined) places.push([ask]);
    else place.push(ask);
  }
  return places;
}

function packPlace(asks: readonly Ask[], nowMs: number, into: string[]): void {
  into.push(`${asks.length}`);
  for (const { rule } of asks) into.push(rule.id);
  for (const { rule, cost } of asks) {
    const { code, numbers } = packRule(rule, nowMs);
    into.push(code, `${cost}`, ...numbers);
  }
}

/** The hash of an ask's place. */
export function hashOf({ hashes }: KeySpace, ask: Ask | undefined): string {
  return ask === undefined ? '' : `${hashes}${nameOfSpace(ask.rule)}:${ask.key}`;
}

const longestName = 64;

const spaceNames = new WeakMap<CompiledRule, string>();

/** A rule's space without colons, of bounded length. */
export function nameOfSpace(rule: CompiledRule): string {
  const known = spaceNames.get(rule);
  if (known !== undefined) return known;
  const encoded = encodeURIComponent(rule.space);
  const name = encoded.length <= longestName ? encoded : hash('sha256', rule.space, 'base64url').slice(0, 22);
  spaceNames.set(rule, name);
  return name;
}

/** A rule's id and its packed strategy, by the space of the rule: what a snapshot looks for. */
export function packSpaces(
  rules: readonly CompiledRule[],
  nowMs: number,
): Map<string, CompiledRule[]> & { json: string } {
  const spaces = new Map<string, CompiledRule[]>();
  for (const rule of rules) {
    const name = nameOfSpace(rule);
    spaces.set(name, [...(spaces.get(name) ?? []), rule]);
  }
  const packed = [...spaces].map(([name, members]) => [
    name,
    members.map(({ id, strategy }) => [id, packStrategy(strategy, nowMs)]),
  ]);
  return Object.assign(spaces, { json: JSON.stringify(Object.fromEntries(packed)) });
}

interface PackedRule {
  readonly code: string;
  readonly numbers: readonly string[];
}

const packedRules = new WeakMap<CompiledRule, PackedRule>();

/** A rule as scripts are told of it. */
export function packRule(rule: CompiledRule, nowMs: number): PackedRule {
  const known = packedRules.get(rule);
  if (known !== undefined) return known;
  const { mode, strategy } = rule;
  const [kind, ...numbers] = packStrategy(strategy, nowMs);
  const returns = rule.returnsOnExpiry || strategy.kind === 'slots';
  const anchored = strategy.kind === 'window' && strategy.anchored;
  const code = kind + 8 * Number(mode === 'enforce') + 16 * Number(returns) + 32 * Number(anchored);
  const packed = { code: `${code}`, numbers: numbers.slice(0, (widthOf.get(kind) ?? 0) - 1).map(String) };
  // The boundaries of a calendar move on.
  if (kind !== packedKinds.calendar) packedRules.set(rule, packed);
  return packed;
}
