export { type PushReceiver, type ReceivedPush, startPushReceiver } from './push-receiver.ts';
export { type CreateUsageStore, type UsageStoreCase, usageStoreCases } from './usage-store-cases.ts';
