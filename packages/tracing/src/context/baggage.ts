import { type Baggage, type BaggageEntry, baggageEntryMetadataFromString, propagation } from '@opentelemetry/api';

const limits = { bytes: 8_192, entries: 64 } as const;
/** What a header may hold. A peer's metadata comes as JSON, which holds more, and would go on with our own calls. */
const printable = /^[\t -~]*$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Reads a `baggage` field. Members that are malformed, hold what no header may, or come after 64 others are left out, and all of it where it is longer than 8192 characters.
 *
 * @see https://www.w3.org/TR/baggage/
 */
export function parseBaggage(field: string): Baggage | undefined {
  if (field.length > limits.bytes) return undefined;
  const entries: Record<string, BaggageEntry> = Object.create(null) as Record<string, BaggageEntry>;
  for (const member of field.split(',').slice(0, limits.entries)) {
    const [pair = '', ...properties] = member.split(';');
    const equals = pair.indexOf('=');
    const key = pair.slice(0, Math.max(equals, 0)).trim();
    const value = decoded(pair.slice(equals + 1).trim());
    if (!token.test(key) || value === undefined || !printable.test(member)) continue;
    const metadata = properties.length > 0 && baggageEntryMetadataFromString(properties.join(';').trim());
    entries[key] = metadata === false ? { value } : { value, metadata };
  }
  return Object.keys(entries).length === 0 ? undefined : propagation.createBaggage(entries);
}

/** Writes a `baggage` field within the same limits, and without metadata that no header may hold; undefined where nothing is left. */
export function formatBaggage(baggage: Baggage): string | undefined {
  let field = '';
  for (const [key, { value, metadata }] of baggage.getAllEntries().slice(0, limits.entries)) {
    if (!token.test(key)) continue;
    const text = metadata?.toString() ?? '';
    const properties = text === '' || !printable.test(text) ? '' : `;${text}`;
    const member = `${field === '' ? '' : ','}${key}=${encodeURIComponent(value)}${properties}`;
    if (field.length + member.length <= limits.bytes) field += member;
  }
  return field === '' ? undefined : field;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
