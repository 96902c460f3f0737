export type { ReadableRegistry } from './counts.ts';
export { createSloMonitor, type SloMonitor, type SloMonitorOptions } from './monitor.ts';
export { defaultPercentiles, percentileRules, type Percentiles } from './percentiles.ts';
export { type SlaDay, type SlaLine, type SlaReport, slaToCsv, slaToJson, slaToMarkdown } from './report.ts';
export { type RuleTestOptions, sloRuleTests } from './rule-tests.ts';
export { sloRules } from './rules.ts';
export {
  type Burn,
  defineSlo,
  type Indicator,
  modelAnswers,
  requestsAvailable,
  requestsWithin,
  type Selector,
  type Slo,
  type SloOptions,
} from './slo.ts';
