import { strict as assert } from 'node:assert';
import type { DidResolver } from '../contracts/identity.ts';
import { assertCancelled, type ConformanceCase } from './conformance-case.ts';

/** A resolver to be judged, and what it should and should not know. */
export interface DidResolverSubject {
  readonly resolver: DidResolver;
  /** A DID that exists, with at least one verification method. */
  readonly known: string;
  /** A well-formed DID of the same method that does not exist. */
  readonly unknown: string;
}

/** What every `DidResolver` promises. */
export const didResolverCases: readonly ConformanceCase<() => Promise<DidResolverSubject>>[] = [
  didCase('a DID that exists gives its own document', async ({ resolver, known }) => {
    const document = await resolver.resolve(known);
    assert.equal(document?.id, known);
    assert.ok(document.verificationMethod.length > 0);
    for (const { id, type, controller } of document.verificationMethod) {
      assert.ok(id.includes('#') && type !== '' && controller.startsWith('did:'), `the verification method ${id}`);
    }
  }),

  didCase('resolving again gives the same', async ({ resolver, known }) => {
    assert.deepEqual(await resolver.resolve(known), await resolver.resolve(known));
  }),

  didCase('a DID that does not exist gives undefined', async ({ resolver, unknown }) => {
    assert.equal(await resolver.resolve(unknown), undefined);
  }),

  didCase('what is no DID gives no document', async ({ resolver, known }) => {
    for (const text of [
      '',
      'did',
      'did:',
      'not a did',
      `${known} `,
      ` ${known}`,
      `${known}\n`,
      '__proto__',
      'constructor',
    ]) {
      const document = await resolver.resolve(text).catch(() => undefined);
      assert.equal(document, undefined, `a document for ${JSON.stringify(text)}`);
    }
  }),

  didCase('an aborted signal rejects', async ({ resolver, known }) => {
    const signal = AbortSignal.abort();
    await assertCancelled(() => resolver.resolve(known, { signal }), signal);
  }),
];

function didCase(
  name: string,
  check: (subject: DidResolverSubject) => Promise<void>,
): ConformanceCase<() => Promise<DidResolverSubject>> {
  return { name, run: async (create) => check(await create()) };
}
