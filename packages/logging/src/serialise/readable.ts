/** Reads what may throw. A line says that it is unreadable, and goes on. */
export const unreadable = '[unreadable]';

/** Any value as text. */
export function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return unreadable;
  }
}

export function memberOf(source: object, name: string): unknown {
  try {
    return (source as Readonly<Record<string, unknown>>)[name];
  } catch {
    return unreadable;
  }
}
