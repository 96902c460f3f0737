// A process that asks a store that never answers, and does nothing else. Prints who answered in its place.
import { createRateLimiter } from '../../src/index.ts';
import { guardStore } from '../../src/stores/guarded-store.ts';

const never = (): Promise<never> => new Promise(() => {});
const store = guardStore({
  kind: 'silent',
  decide: never,
  settle: never,
  extend: never,
  reset: never,
  snapshot: never,
  close() {},
  [Symbol.asyncDispose]: async () => {},
});
const limiter = createRateLimiter({ rules: [{ name: 'all', scope: 'global', limit: 10, per: 'second' }], store });
const { source } = await limiter.check({});
// There is something to cancel.
await limiter.reserve({});
await limiter.close();
process.stdout.write(`${source}\n`);
