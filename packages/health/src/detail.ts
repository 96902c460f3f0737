const longest = 200;

// Errors of drivers and SDKs quote connection strings, header fields and keys.
const secrets: readonly (readonly [RegExp, string])[] = [
  [/\/\/\S*@/g, '//***@'],
  [/\b(bearer|basic)\s+\S+/gi, '$1 ***'],
  [/(authorization\s*[=:]\s*)(?!(?:bearer|basic)\b)[a-z][\w-]*\s+\S+/gi, '$1***'],
  [
    /(["']?[\w-]*(?:passw(?:or)?d|passwd|pwd|secret|token|api[-_ ]?key|authorization|credential)[\w-]*["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?!(?:bearer|basic)\b)\S+)/gi,
    '$1***',
  ],
  // A header without its colon. What follows is words, such as "is missing", unless it has a digit or is long.
  [/((?:api-key|auth-token)\s+)(?=\S*\d|\S{20})\S{6,}/gi, '$1***'],
  [/\b(?:sk|pk|rk|ghp|gho|xox[a-z]|AIza|AKIA)[-_\w]{8,}/g, '***'],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, '***'],
];

/** A text for operators without what looks like a secret: credentials of URLs, values of secret fields, known forms of keys. Cut to 200 characters. */
export function withoutSecrets(text: string): string {
  let safe = text.slice(0, 4 * longest);
  for (const [form, instead] of secrets) safe = safe.replace(form, instead);
  return safe.slice(0, longest);
}

/** What was thrown or said, as a text, whatever it is. */
export function textOf(thing: unknown): string {
  try {
    return String(thing instanceof Error ? thing.message : thing);
  } catch {
    return 'something that is no text';
  }
}
