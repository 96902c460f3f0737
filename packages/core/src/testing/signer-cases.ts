import { strict as assert } from 'node:assert';
import type { SignatureClaim, Signer, Verifier } from '../contracts/identity.ts';
import { assertCancelled, type ConformanceCase } from './conformance-case.ts';

/** A signer to be judged, with a verifier that knows its key. */
export interface SignerSubject {
  readonly signer: Signer;
  readonly verifier: Verifier;
  /** A signer with another key of the same algorithm that the verifier knows as well. */
  readonly other: Signer;
}

/** What every pair of `Signer` and `Verifier` promises. */
export const signerCases: readonly ConformanceCase<() => Promise<SignerSubject>>[] = [
  signerCase('what was signed verifies', async ({ signer, verifier }) => {
    for (const data of [
      text('hello'),
      text(''),
      new Uint8Array(1_000_000),
      Uint8Array.from({ length: 256 }, (_, index) => index),
    ]) {
      assert.equal(await verifier.verify(await claim(signer, data)), true, `${data.length} bytes`);
    }
  }),

  signerCase('changed data does not verify', async ({ signer, verifier }) => {
    const signed = await claim(signer, text('pay 10'));
    for (const data of [text('pay 11'), text('pay 10 '), text('pay 1'), text('')]) {
      assert.equal(await verifier.verify({ ...signed, data }), false);
    }
  }),

  signerCase('a changed signature does not verify, at any byte', async ({ signer, verifier }) => {
    const signed = await claim(signer, text('hello'));
    for (let index = 0; index < signed.signature.length; index++) {
      const signature = Uint8Array.from(signed.signature, (byte, at) => (at === index ? byte ^ 1 : byte));
      assert.equal(await verifies(verifier, { ...signed, signature }), false, `byte ${index}`);
    }
  }),

  signerCase('a signature of another length does not verify', async ({ signer, verifier }) => {
    const signed = await claim(signer, text('hello'));
    for (const signature of [
      new Uint8Array(0),
      signed.signature.slice(1),
      signed.signature.slice(0, -1),
      Uint8Array.from([...signed.signature, 0]),
    ]) {
      assert.equal(await verifies(verifier, { ...signed, signature }), false, `${signature.length} bytes`);
    }
  }),

  signerCase("one key's signature does not verify as another's", async ({ signer, other, verifier }) => {
    const signed = await claim(signer, text('hello'));
    assert.equal(await verifier.verify(await claim(other, text('hello'))), true, 'the other key is known');
    assert.equal(await verifies(verifier, { ...signed, keyId: other.keyId }), false);
  }),

  signerCase('a key or an algorithm that nobody knows does not verify', async ({ signer, verifier }) => {
    const signed = await claim(signer, text('hello'));
    assert.equal(await verifies(verifier, { ...signed, keyId: `${signed.keyId}-unknown` }), false);
    for (const algorithm of ['', 'none', 'unknown'])
      assert.equal(await verifies(verifier, { ...signed, algorithm }), false, `algorithm "${algorithm}"`);
  }),

  signerCase('a signature is of the bytes at the time of the call', async ({ signer, verifier }) => {
    const data = text('hello');
    const signing = signer.sign(data);
    data[0] = 0;
    const { algorithm, keyId } = signer;
    assert.equal(await verifier.verify({ algorithm, keyId, data: text('hello'), signature: await signing }), true);
  }),

  signerCase('signing at the same time does not mix', async ({ signer, verifier }) => {
    const claims = await Promise.all(Array.from({ length: 10 }, (_, index) => claim(signer, text(`message ${index}`))));
    for (const signed of claims) assert.equal(await verifier.verify(signed), true);
  }),

  signerCase('an aborted signal rejects', async ({ signer, verifier }) => {
    const signal = AbortSignal.abort();
    const signed = await claim(signer, text('hello'));
    await assertCancelled(() => signer.sign(text('hello'), { signal }), signal);
    await assertCancelled(() => verifier.verify(signed, { signal }), signal);
  }),
];

function signerCase(
  name: string,
  check: (subject: SignerSubject) => Promise<void>,
): ConformanceCase<() => Promise<SignerSubject>> {
  return { name, run: async (create) => check(await create()) };
}

async function claim(signer: Signer, data: Uint8Array): Promise<SignatureClaim> {
  const { algorithm, keyId } = signer;
  return { algorithm, keyId, data, signature: await signer.sign(data) };
}

/** A verifier may throw where it cannot tell; only "yes" would be wrong. */
async function verifies(verifier: Verifier, signed: SignatureClaim): Promise<boolean> {
  return verifier.verify(signed).catch(() => false);
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}
