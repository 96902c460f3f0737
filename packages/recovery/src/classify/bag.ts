/** Any object, of which nothing is known. */
export type Bag = Readonly<Record<string, unknown>>;

export function asBag(value: unknown): Bag | undefined {
  return typeof value === 'object' && value !== null ? (value as Bag) : undefined;
}

export function textAt(bag: Bag | undefined, key: string): string | undefined {
  const value = bag?.[key];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function numberAt(bag: Bag | undefined, key: string): number | undefined {
  const value = bag?.[key];
  return typeof value === 'number' ? value : undefined;
}

export function listAt(bag: Bag | undefined, key: string): readonly unknown[] {
  const value = bag?.[key];
  return Array.isArray(value) ? value : [];
}

/** What a table has for a word; a foreign word may be the name of anything, such as `constructor`. */
export function wordIn<T>(table: Readonly<Record<string, T>>, word: string | undefined): T | undefined {
  return word !== undefined && Object.hasOwn(table, word) ? table[word] : undefined;
}

/** What was thrown, in words. */
export function messageOf(error: unknown): string {
  const bag = asBag(error);
  return bag === undefined ? String(error) : (textAt(bag, 'message') ?? '');
}
