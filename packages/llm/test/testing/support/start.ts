import { afterEach } from '@jest/globals';
import { createFaultyProvider, type FaultyProvider, type FaultyProviderOptions } from '../../../src/testing/index.ts';

const started: FaultyProvider[] = [];

/** A provider for one test, closed after it. */
export async function start(options?: FaultyProviderOptions): Promise<FaultyProvider> {
  const provider = await createFaultyProvider(options);
  started.push(provider);
  return provider;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((provider) => provider.close()));
});
