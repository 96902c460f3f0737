/** Tells whether the value of a field must not be written. */
export type Redaction = (key: string) => boolean;

/** What stands in the place of a redacted value. */
export const redacted = '[redacted]';

// The end of a key decides: accessToken and client_secret are meant, input_tokens and max_tokens are not.
const secretKey =
  /(?:password|passwd|passphrase|secret|token|authorization|cookie|credentials?|(?:api|private|access|signing|encryption)[-_]?key)$/i;

const rememberedKeys = 1_000;

/**
 * Redacts by key at any depth: the built-in list and `extraKeys`, compared without regard to case, `-` and `_`.
 */
export function createRedaction(extraKeys: readonly string[]): Redaction {
  const extra = new Set(extraKeys.map(normalised));
  const known = new Map<string, boolean>();
  return (key) => {
    let secret = known.get(key);
    if (secret === undefined) {
      secret = secretKey.test(key) || extra.has(normalised(key));
      // Keys come from data as well: what is remembered must not grow with it.
      if (known.size < rememberedKeys) known.set(key, secret);
    }
    return secret;
  };
}

function normalised(key: string): string {
  return key.replace(/[-_]/g, '').toLowerCase();
}
