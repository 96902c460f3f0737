export { type CreateUsageStore, type UsageStoreCase, usageStoreCases } from './usage-store-cases.ts';
