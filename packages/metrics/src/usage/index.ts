export { type CostForecast, type CostRange, forecastCost } from './forecast.ts';
export { usageToCsv, usageToJson, usageToMarkdown } from './format.ts';
export { createUsageLedger, type UsageLedger, type UsageLedgerOptions } from './ledger.ts';
export { createMemoryUsage, type MemoryUsageOptions } from './memory.ts';
export {
  type ActiveUsers,
  createUsageReport,
  type UsageLine,
  type UsageReport,
  type UsageReportOptions,
  type UserLine,
} from './report.ts';
export type { UsageCounts, UsageKey, UsageRow } from './row.ts';
export type { UsageBatch, UsagePage, UsageRange, UsageStore } from './store.ts';
