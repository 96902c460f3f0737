import { compileRule, type CompiledRule } from '../../../src/compile.ts';
import type { Rule } from '../../../src/rule.ts';

/** Rules whose limit holds for a whole run, however its clock is off. */
export const skewRules: readonly CompiledRule[] = [
  compile({ name: 'sliding', scope: 'user', limit: 100, per: 'hour', strategy: 'sliding-window' }),
  compile({ name: 'ring', scope: 'user', limit: 300, per: 'hour', strategy: 'sliding-window' }),
  compile({ name: 'money', scope: 'user', unit: 'cost', limit: 200, per: 'day' }),
  compile({ name: 'today', scope: 'user', limit: 150, per: 'calendar-day' }),
  compile({ name: 'minute', scope: 'user', limit: 50, per: { ms: 3_599_000 }, strategy: 'sliding-window' }),
];

export function compile(rule: Rule): CompiledRule {
  const compiled = compileRule(rule, typeof rule.scope === 'string' ? rule.scope : 'custom');
  if (compiled === undefined) throw new TypeError(`Rule ${rule.name} has no limit.`);
  return compiled;
}
