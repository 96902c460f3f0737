import { readJson } from './workspace.ts';

/** The bounds a library keeps, by the name of its folder. They only go down, or up with a reason in the commit. */
export interface Budgets {
  /** Root entry in kB of 1000 bytes, own code minified and brotli-compressed. */
  readonly rootEntryKb: Readonly<Record<string, number>>;
  /** Packages in node_modules after installing the library alone, itself included. */
  readonly installedPackages: Readonly<Record<string, number>>;
}

export const budgets: Budgets = readJson(new URL('./budgets.json', import.meta.url));
