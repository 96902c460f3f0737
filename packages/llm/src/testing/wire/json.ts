/** Readers of a body that may hold anything. */
export type Json = Readonly<Record<string, unknown>>;

/** A member of a body that is an object. */
export function objectAt(body: Json, name: string): Json {
  const value = body[name];
  return isObject(value) ? value : {};
}

/** The last element of a member that is a list of objects. */
export function lastAt(body: Json, name: string): Json {
  const list = body[name];
  const last: unknown = Array.isArray(list) ? list.at(-1) : undefined;
  return isObject(last) ? last : {};
}

export function numberAt(body: Json, ...names: readonly string[]): number | undefined {
  return names.map((name) => body[name]).find((value) => typeof value === 'number');
}

export function textAt(body: Json, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
