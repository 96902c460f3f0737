import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** A chain is a row of files `<chain>.<number>.jsonl` and its head `<chain>.head`. */
export interface ChainFiles {
  readonly chain: string;
  readonly head: string;
  /** In order. */
  readonly parts: readonly { readonly number: number; readonly path: string }[];
}

const partName = /^(.+)\.(\d{6})\.jsonl$/;

export const partPath = (folder: string, chain: string, number: number): string =>
  join(folder, `${chain}.${String(number).padStart(6, '0')}.jsonl`);
export const headPath = (folder: string, chain: string): string => join(folder, `${chain}.head`);

/** The chains of a folder, the oldest first. Throws where it cannot be read. */
export function chainsIn(folder: string): readonly ChainFiles[] {
  const parts = new Map<string, number[]>();
  const numbersOf = (chain: string): number[] => {
    const numbers = parts.get(chain) ?? [];
    parts.set(chain, numbers);
    return numbers;
  };
  for (const name of readdirSync(folder)) {
    const [, chain, number] = partName.exec(name) ?? [];
    if (chain !== undefined) numbersOf(chain).push(Number(number));
    else if (name.endsWith('.head')) numbersOf(name.slice(0, -'.head'.length));
  }
  return [...parts.keys()].toSorted().map((chain) => ({
    chain,
    head: headPath(folder, chain),
    parts: numbersOf(chain)
      .toSorted((a, b) => a - b)
      .map((number) => ({ number, path: partPath(folder, chain, number) })),
  }));
}
