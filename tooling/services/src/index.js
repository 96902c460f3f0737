/** Real servers for tests. */
export { unpackDebianPackages } from './debian-packages.js';
export { freePort } from './ports.js';
export { startPostgres } from './postgres.js';
export { findPromtool, startAlertmanager, startPrometheus } from './prometheus.js';
export { startRedisCluster } from './redis-cluster.js';
export { startRedisSentinel } from './redis-sentinel.js';
export { startRedis } from './redis.js';
export { describeWithService, serviceUrl } from './service-url.js';
export { areRequired, started } from './sources.js';
export { behindTimer, leastOf, msUntil } from './timing.js';
