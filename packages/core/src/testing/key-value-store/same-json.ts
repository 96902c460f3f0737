import { strict as assert } from 'node:assert';
import type { Entry } from '../../contracts/key-value-store.ts';

/** Fails unless both are the same JSON value. Unlike `deepEqual` it takes objects of another realm, which is where some test runners make them. */
export function assertSameJson(actual: unknown, expected: unknown, message: string = JSON.stringify(expected)): void {
  assert.equal(kindOf(actual), kindOf(expected), message);
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) {
    assert.equal(actual, expected, message);
    return;
  }
  const names = Object.keys(expected).sort();
  assert.equal(Object.keys(actual).sort().join('\n'), names.join('\n'), message);
  for (const name of names) {
    assertSameJson((actual as Record<string, unknown>)[name], (expected as Record<string, unknown>)[name], message);
  }
}

/** Fails unless there is an entry of this value and this version. */
export function assertEntry(entry: Entry | undefined, value: unknown, version: string | undefined): void {
  assertSameJson(entry?.value, value);
  assert.equal(entry?.version, version);
}

function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value);
}
