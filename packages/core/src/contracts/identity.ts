/** Signing and verifying messages between agents. */
export interface Signer {
  readonly algorithm: string;
  /** `DID#key`, or any id that the verifier can resolve. */
  readonly keyId: string;
  sign(data: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<Uint8Array>;
}

export interface Verifier {
  /** Whether `signature` over `data` is that of the key. Throws only where it cannot tell. */
  verify(claim: SignatureClaim, options?: { readonly signal?: AbortSignal }): Promise<boolean>;
}

export interface SignatureClaim {
  readonly algorithm: string;
  readonly keyId: string;
  readonly data: Uint8Array;
  readonly signature: Uint8Array;
}

/** @see https://www.w3.org/TR/did-1.0/ */
export interface DidResolver {
  /** The document, or undefined where the DID does not exist. Throws where it cannot tell. */
  resolve(did: string, options?: { readonly signal?: AbortSignal }): Promise<DidDocument | undefined>;
}

export interface DidDocument {
  readonly id: string;
  readonly verificationMethod: readonly VerificationMethod[];
  readonly service?: readonly { readonly id: string; readonly type: string; readonly serviceEndpoint: string }[];
}

export interface VerificationMethod {
  readonly id: string;
  readonly type: string;
  readonly controller: string;
  /** JSON Web Key. */
  readonly publicKeyJwk?: Readonly<Record<string, unknown>>;
}
