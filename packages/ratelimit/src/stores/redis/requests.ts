/** What scripts are sent: the Redis keys of the asks, and the asks as JSON. */
import { hash } from 'node:crypto';
import type { CompiledRule } from '../../compile.ts';
import { packStrategy } from '../../strategies/strategy.ts';
import type { Ask } from '../store.ts';

/** How keys of one store begin. The braces make all of them lie in one slot of a cluster. */
export interface KeySpace {
  readonly hashes: string;
  readonly leases: string;
}

export function keySpaceOf(prefix: string, tag: string): KeySpace {
  return { hashes: `{${prefix}:${tag}}:s:`, leases: `{${prefix}:${tag}}:r:` };
}

/** Asks as scripts take them: two keys for each place, and for each ask `[place, cost, rule, enforced, returns, strategy]`. */
export function packAsks(space: KeySpace, asks: readonly Ask[], nowMs: number): { keys: string[]; json: string } {
  const names: string[] = [];
  const keys: string[] = [];
  let json = '';
  for (const { rule, key, cost } of asks) {
    const name = `${nameOfSpace(rule)}:${key}`;
    let place = names.indexOf(name);
    if (place < 0) {
      place = names.push(name) - 1;
      keys.push(space.hashes + name, space.leases + name);
    }
    json += `${json === '' ? '' : ','}[${place + 1},${cost},${packRule(rule, nowMs)}]`;
  }
  return { keys, json: `[${json}]` };
}

const longestName = 64;

/** A rule's space without colons, of bounded length. */
export function nameOfSpace({ space }: CompiledRule): string {
  const name = encodeURIComponent(space);
  return name.length <= longestName ? name : hash('sha256', space, 'base64url').slice(0, 22);
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

// How many of a packed strategy's numbers mean something, by its kind.
const widths = [5, 4, 6, 4, 2];

const packedRules = new WeakMap<CompiledRule, string>();

function packRule(rule: CompiledRule, nowMs: number): string {
  const known = packedRules.get(rule);
  if (known !== undefined) return known;
  const { id, mode, strategy } = rule;
  const returns = rule.returnsOnExpiry || strategy.kind === 'slots';
  const numbers = packStrategy(strategy, nowMs);
  const parts = [id, Number(mode === 'enforce'), Number(returns), numbers.slice(0, widths[numbers[0] - 1])];
  const packed = JSON.stringify(parts).slice(1, -1);
  // The boundaries of a calendar move on.
  if (strategy.kind !== 'window' || strategy.calendar === undefined) packedRules.set(rule, packed);
  return packed;
}
