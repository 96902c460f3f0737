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

/** Waits until something is so: looks each 10 ms, so often that a machine with nothing else to do takes `timeoutMs`. */
export async function until(done: () => boolean | Promise<boolean>, timeoutMs = 30_000): Promise<void> {
  for (let looks = 0; !(await done()); looks++) {
    if (looks > timeoutMs / 10) throw new Error(`it did not happen within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
