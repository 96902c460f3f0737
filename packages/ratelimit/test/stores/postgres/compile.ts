import { compileRule, type CompiledRule } from '../../../src/compile.ts';
import type { Rule } from '../../../src/rule.ts';

/** Compiles a rule that has a limit. */
export function compile(rule: Rule): CompiledRule {
  const compiled = compileRule(rule, typeof rule.scope === 'string' ? rule.scope : 'custom');
  if (compiled === undefined) throw new TypeError(`Rule ${rule.name} has no limit.`);
  return compiled;
}
