// Prints the bytes that a limiter keeps for each of as many keys as the second argument says, the keys themselves not counted, and how long single decisions take.
import { createRateLimiter, type Rule } from '@sage-adk/ratelimit';
import { RateLimiterMemory } from 'rate-limiter-flexible';

const [, , subject = '', count = ''] = process.argv;
const keyCount = Number(count);
const keys = Array.from({ length: keyCount }, (_, index) => `user-${index}`);
// A key is flattened when it is first looked up; that is not the limiter's.
const known = new Set(keys);
known.clear();

// A unit takes minutes to come back: a key that is whole again would be forgotten, and cost nothing.
const rules: Readonly<Record<string, Omit<Rule, 'name' | 'scope'>>> = {
  'token bucket': { limit: 500, per: 'day' },
  'fixed window': { limit: 500, per: 'day', strategy: 'fixed-window' },
  'sliding window': { limit: 500, per: 'day', strategy: 'sliding-window' },
};
const rule = rules[subject];
const before = bytesInUse();
const check = rule === undefined ? flexible() : ours(rule);
for (const key of keys) await check(key);
const bytesPerKey = (bytesInUse() - before) / keyCount;

const samples = new Float64Array(200_000);
for (let n = 0; n < samples.length; n++) {
  const key = keys[(Math.imul(n, 2_654_435_761) >>> 0) % keyCount] ?? '';
  const startNs = process.hrtime.bigint();
  const pending = check(key);
  if (rule === undefined) await pending;
  samples[n] = Number(process.hrtime.bigint() - startNs) / 1_000;
}
samples.sort();
const at = (share: number): number => samples[Math.floor(samples.length * share)] ?? Number.NaN;
console.log(JSON.stringify({ bytesPerKey, p50Us: at(0.5), p99Us: at(0.99), p999Us: at(0.999) }));
process.exit(0);

function ours(limits: Omit<Rule, 'name' | 'scope'>): (key: string) => unknown {
  const limiter = createRateLimiter({ rules: [{ name: 'user', scope: 'user', ...limits }], maxKeys: keyCount });
  return (user) => limiter.checkSync({ user });
}

function flexible(): (key: string) => Promise<unknown> {
  const limiter = new RateLimiterMemory({ points: 500, duration: 86_400 });
  return (key) => limiter.consume(key);
}

function bytesInUse(): number {
  for (let n = 0; n < 3; n++) globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  // What array buffers hold is a part of what is external.
  return heapUsed + external;
}
