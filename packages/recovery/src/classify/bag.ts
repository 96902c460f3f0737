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
