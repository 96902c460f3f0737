import { describe, expect, test } from '@jest/globals';
import type { DidDocument, DidResolver } from '../../src/index.ts';
import { didResolverCases, type DidResolverSubject } from '../../src/testing/index.ts';
import { failuresOf } from './conformance.ts';

const known = 'did:web:example.com:agent';
const unknown = 'did:web:example.com:nobody';

function documentOf(id: string): DidDocument {
  return {
    id,
    verificationMethod: [{ id: `${id}#key-1`, type: 'JsonWebKey2020', controller: id, publicKeyJwk: { kty: 'OKP' } }],
  };
}

const resolver: DidResolver = {
  async resolve(did, { signal } = {}) {
    signal?.throwIfAborted();
    return did === known ? documentOf(did) : undefined;
  },
};

let counter = 0;

const broken: Readonly<Record<string, DidResolver>> = {
  "another's document": {
    resolve: async (did) => (did === known ? documentOf('did:web:example.com:other') : undefined),
  },
  'a document without keys': {
    resolve: async (did) => (did === known ? { id: did, verificationMethod: [] } : undefined),
  },
  'another document each time': {
    resolve: async (did) =>
      did === known
        ? { ...documentOf(did), service: [{ id: `${counter++}`, type: 't', serviceEndpoint: 'u' }] }
        : undefined,
  },
  'a document for everybody': { resolve: async (did) => documentOf(did) },
  'an error for nobody': {
    resolve: async (did) => {
      if (did !== known) throw new Error('not found');
      return documentOf(did);
    },
  },
  'text trimmed before it is looked up': {
    resolve: async (did) => (did.trim() === known ? documentOf(known) : undefined),
  },
};

const subjectOf = (candidate: DidResolver) => async (): Promise<DidResolverSubject> => ({
  resolver: candidate,
  known,
  unknown,
});

describe('a resolver that keeps the contract', () => {
  test.each(didResolverCases)('$name', ({ run }) => run(subjectOf(resolver)));
});

describe('the suite can fail', () => {
  const caught = new Set<string>();

  test.each(Object.entries(broken))('for a resolver with this fault: %s', async (_fault, candidate) => {
    const failed = await failuresOf(
      didResolverCases,
      subjectOf({ resolve: (did, options) => resolver.resolve(known, options).then(() => candidate.resolve(did)) }),
    );
    for (const name of failed) caught.add(name);
    expect(failed.length).toBeGreaterThan(0);
  });

  test('for a resolver that ignores the signal', async () => {
    const failed = await failuresOf(didResolverCases, subjectOf({ resolve: (did) => resolver.resolve(did) }));
    for (const name of failed) caught.add(name);
    expect(failed).toEqual(['an aborted signal rejects']);
  });

  test('each of its cases fails for some broken resolver', () => {
    expect(didResolverCases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
});
