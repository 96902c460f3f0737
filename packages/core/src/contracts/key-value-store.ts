/** Entries by key with a version each, for state that must outlive a request. */
export interface KeyValueStore {
  /** The entry, or undefined where there is none or it expired. */
  get(key: string, options?: StoreCallOptions): Promise<Entry | undefined>;
  /** Writes `value`, any JSON value. Returns the new version, or undefined where `ifVersion` did not match; then nothing was written. */
  set(key: string, value: unknown, options?: SetOptions): Promise<string | undefined>;
  /** Whether there was an entry. */
  delete(key: string, options?: StoreCallOptions): Promise<boolean>;
  /** Keys that start with `prefix`, a page at a time, in no promised order; each key that stands during the whole listing comes at least once. */
  list(options?: ListOptions): Promise<Page>;
  close(): Promise<void>;
}

export interface StoreCallOptions {
  readonly signal?: AbortSignal;
}

export interface Entry {
  readonly value: unknown;
  /** Changes with each write. */
  readonly version: string;
}

export interface SetOptions extends StoreCallOptions {
  /** Milliseconds until the entry is gone. @default never */
  readonly ttlMs?: number;
  /** Writes only over this version; `null` writes only where there is no entry. */
  readonly ifVersion?: string | null;
}

export interface ListOptions extends StoreCallOptions {
  readonly prefix?: string;
  /** Most keys of a page. @default 100 */
  readonly limit?: number;
  /** `nextCursor` of the page before. */
  readonly cursor?: string;
}

export interface Page {
  readonly keys: readonly string[];
  /** Missing on the last page. */
  readonly nextCursor?: string;
}
