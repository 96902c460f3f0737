import { source } from '@sage-adk/core';

/** Offers numbers of each dependency to metrics, named `<dependency>.<number>`. */
export function offerCounters<T extends { readonly dependency: string }>(
  name: string,
  snapshot: () => readonly T[],
  read: (one: T) => Readonly<Record<string, number>>,
): Disposable {
  return source(name, () =>
    Object.fromEntries(
      snapshot().flatMap((one) => Object.entries(read(one)).map(([key, value]) => [`${one.dependency}.${key}`, value])),
    ),
  );
}
