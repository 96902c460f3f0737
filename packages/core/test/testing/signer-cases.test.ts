import { generateKeyPairSync, sign, verify } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { SignatureClaim, Signer, Verifier } from '../../src/index.ts';
import { signerCases, type SignerSubject } from '../../src/testing/index.ts';
import { failuresOf } from './conformance.ts';

const keys = new Map(['alice', 'bob'].map((name) => [`did:web:${name}#key-1`, generateKeyPairSync('ed25519')]));

function signerOf(keyId: string): Signer {
  return {
    algorithm: 'ed25519',
    keyId,
    async sign(data, { signal } = {}) {
      signal?.throwIfAborted();
      const pair = keys.get(keyId);
      if (pair === undefined) throw new Error('no such key');
      return sign(null, data, pair.privateKey);
    },
  };
}

const verifier: Verifier = {
  async verify({ algorithm, keyId, data, signature }, { signal } = {}) {
    signal?.throwIfAborted();
    const pair = keys.get(keyId);
    return pair !== undefined && algorithm === 'ed25519' && verify(null, data, pair.publicKey, signature);
  },
};

const [alice, bob] = [...keys.keys()].map(signerOf) as [Signer, Signer];

function subjectOf(change: Partial<SignerSubject> = {}): () => Promise<SignerSubject> {
  return async () => ({ signer: alice, other: bob, verifier, ...change });
}

const verifying = (check: (claim: SignatureClaim) => Promise<boolean>): Partial<SignerSubject> => ({
  verifier: { verify: async (claim, options) => (options?.signal?.throwIfAborted(), check(claim)) },
});

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let shared: Uint8Array = new Uint8Array();

const broken: Readonly<Record<string, Partial<SignerSubject>>> = {
  'never verifies': verifying(async () => false),
  'always verifies': verifying(async () => true),
  'the data is not looked at': verifying(
    async (claim) => claim.signature.length === 64 && claim.algorithm === 'ed25519',
  ),
  'the last byte of the signature is not looked at': verifying(async (claim) => {
    const expected = await signerOf(claim.keyId)
      .sign(claim.data)
      .catch(() => new Uint8Array());
    return expected.length > 0 && expected.slice(0, -1).every((byte, index) => byte === claim.signature[index]);
  }),
  'the key is not looked at': verifying((claim) => verifier.verify({ ...claim, keyId: alice.keyId })),
  'the algorithm is not looked at': verifying((claim) => verifier.verify({ ...claim, algorithm: 'ed25519' })),
  'large data is signed in part': {
    signer: { ...alice, sign: (data) => alice.sign(data.slice(0, 1_000)) },
  },
  'the data is read later': {
    signer: { ...alice, sign: (data, options) => pause().then(() => alice.sign(data, options)) },
  },
  'calls share a buffer': {
    signer: {
      ...alice,
      sign: async (data, options) => {
        shared = data.slice();
        await pause();
        return alice.sign(shared, options);
      },
    },
  },
  'signals ignored': {
    signer: { ...alice, sign: (data) => alice.sign(data) },
    verifier: { verify: (claim) => verifier.verify(claim) },
  },
};

describe('a signer that keeps the contract', () => {
  test.each(signerCases)('$name', ({ run }) => run(subjectOf()));
});

describe('the suite can fail', () => {
  const caught = new Set<string>();

  test.each(Object.entries(broken))('for a signer or verifier with this fault: %s', async (_fault, change) => {
    const failed = await failuresOf(signerCases, subjectOf(change));
    for (const name of failed) caught.add(name);
    expect(failed.length).toBeGreaterThan(0);
  });

  test('each of its cases fails for some broken signer or verifier', () => {
    expect(signerCases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
  });
});
