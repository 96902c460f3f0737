import { entryCases } from './key-value-store/entries.ts';
import { lifetimeCases } from './key-value-store/lifetimes.ts';
import { listingCases } from './key-value-store/listing.ts';
import type { KeyValueStoreCase } from './key-value-store/subject.ts';
import { versionCases } from './key-value-store/versions.ts';

/** What every `KeyValueStore` promises. Each case makes a new, empty store and closes it. */
export const keyValueStoreCases: readonly KeyValueStoreCase[] = [
  ...entryCases,
  ...versionCases,
  ...lifetimeCases,
  ...listingCases,
];
