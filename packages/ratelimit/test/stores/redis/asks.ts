/** Rules and asks for tests of the Redis store at the server's own time. */
import { type CompiledRule, compileRule } from '../../../src/compile.ts';
import type { Rule } from '../../../src/rule.ts';
import type { Ask } from '../../../src/stores/store.ts';

/** A rule by its fields; 5 requests a minute of a user where they say nothing else. */
export function ruleOf(fields: Partial<Rule> = {}, space = 'user'): CompiledRule {
  const period = fields.unit === 'concurrency' ? {} : { per: 'minute' as const };
  const rule = compileRule({ name: 'rule', scope: 'user', limit: 5, ...period, ...fields }, space);
  if (rule === undefined) throw new TypeError('The rule has no limit.');
  return rule;
}

export function askOf(rule: CompiledRule, cost = 1, key = 'ada'): Ask {
  return { rule, key, cost };
}

/** Waits until something is so, looking each 10 ms, at most `timeoutMs`. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > deadlineMs) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
