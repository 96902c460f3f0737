/**
 * Takes secrets out of the texts of an error before it is kept: SDKs quote keys in their messages, drivers quote URLs with a password, and stacks
 * repeat both. A text that only looks like a secret is hidden too; a secret of no known shape is not, unless it is named.
 */
import { requireOption } from '@sage-adk/core';

/** What stands in the place of a secret. */
const hidden = '[redacted]';

const shortest = 6;

/** The text without secrets. */
export type HideSecrets = (text: string) => string;

/**
 * Hides `secrets` wherever they stand, and what has the shape of a key, token or password.
 *
 * @throws SAGE_CORE_INVALID_OPTION for a secret of less than 6 characters, which could not be told from other text
 */
export function createHideSecrets(secrets: readonly string[]): HideSecrets {
  for (const secret of secrets)
    requireOption('secrets', secret, `texts of at least ${shortest} characters`, ({ length }) => length >= shortest);
  // As it is, and as it stands in JSON. The longest first: one may begin with another.
  const known = [...new Set(secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]))].toSorted(
    (a, b) => b.length - a.length,
  );
  return (text) => {
    const without = known.reduce((rest, secret) => rest.replaceAll(secret, hidden), text);
    return shapes.reduce((rest, [shape, replacement]) => rest.replace(shape, replacement), without);
  };
}

const name = '(?:password|passwd|passphrase|pwd|secret|token|(?:api|private|access|signing|encryption)[-_]?key)';

// Each takes time in proportion to the text: nothing that repeats is followed by what it could also have read, but within a bound.
const shapes: readonly (readonly [RegExp, string])[] = [
  // Keys by their beginning: OpenAI, Anthropic, OpenRouter, Stripe, Groq, Hugging Face, xAI, Perplexity, GitHub, GitLab, Slack, Google, AWS. OpenAI masks
  // the middle of a key with asterisks and leaves both of its ends.
  [
    /(?<![a-z\d])(?:[spr]k[-_]|gsk_|hf_|xai-|pplx-|gh[oprsu]_|github_pat_|glpat-|xox[a-z]-|AIza|A[KS]IA|ya29\.)[\w*-]{12,}/gi,
    hidden,
  ],
  // JSON Web Tokens.
  [/(?<![\w-])eyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g, hidden],
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]*(?:-----END [A-Z ]{0,40}-----)?/g, hidden],
  [/(?<![\w-])(Bearer\s{1,8})[\w.~+/=*-]{8,}/gi, `$1${hidden}`],
  [/(?<![\w-])(Basic\s{1,8})(?=[a-z+/]*[\d=])[\w+/=-]{8,}/gi, `$1${hidden}`],
  // user:password@ of a URL, with what should have been escaped in it.
  [/(:\/\/[^\s:/@"'<>]{0,256}:)[^\s/"'<>]{1,1024}@/g, `$1${hidden}@`],
  // "password": "..." of JSON, also of JSON within JSON.
  [new RegExp(String.raw`("[\w-]{0,64}${name}\\?"\s{0,8}:\s{0,8}\\?")[^"\\]+`, 'gi'), `$1${hidden}`],
  // password=... of a connection string or a query, and keys in headers.
  [new RegExp(String.raw`(${name}=["']?)[^\s&;,"'<>[\]]+`, 'gi'), `$1${hidden}`],
  [/((?:authorization|api[-_]key|cookie)["']?: {0,8}["']?)(?!Bearer|Basic)[^\s,;"'[\]]{6,}/gi, `$1${hidden}`],
  // The same without a colon, where it is no word.
  [/((?:api-key|auth-token)\s{1,8})(?=\S{0,64}\d|\S{20})[^\s,;"'[\]]{6,}/gi, `$1${hidden}`],
];
