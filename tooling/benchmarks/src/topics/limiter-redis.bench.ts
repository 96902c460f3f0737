import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Server, startRedis, started, unpackDebianPackages } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import type { Report, Topic } from '../harness/topic.ts';
import type { LimiterRedisReport } from '../workers/limiter-redis.ts';

const worker = new URL('../workers/limiter-redis.ts', import.meta.url);

export const topic: Topic = {
  name: 'Limiter on Redis: four rules and one, 64 calls in flight, beside rate-limiter-flexible on the same client',
  async run(): Promise<Report> {
    await using redis = started(await startRedis({ fresh: true }));
    const report = await inOwnProcess<LimiterRedisReport>(worker, [redis.url]);
    const { perSecond, clientUs, serverUs, ratios } = report;
    const ours = perSecond['ours, four fixed windows'] ?? 0;
    return {
      figures: {
        ...figuresOf(perSecond, 'decisions per second'),
        ...figuresOf(clientUs, 'client CPU us per decision'),
        ...figuresOf(serverUs, 'server CPU us per decision'),
        'four rules, server CPU of ours over the union of rate-limiter-flexible': ratios.fourServerCpu,
        ...figuresOfOne(
          'one fixed window',
          ratios.oneWindowThroughput,
          ratios.oneWindowClientCpu,
          ratios.oneWindowServerCpu,
        ),
        ...figuresOfOne(
          'one token bucket',
          ratios.oneBucketThroughput,
          ratios.oneBucketClientCpu,
          ratios.oneBucketServerCpu,
        ),
        ...(await ceiling(redis, report.call, ours)),
      },
      gates: [
        {
          name: 'four rules, throughput of ours over the union of rate-limiter-flexible',
          value: ratios.fourThroughput,
          limit: 2,
          kind: 'at least',
        },
        {
          name: 'four rules, client CPU of ours over the union of rate-limiter-flexible',
          value: ratios.fourClientCpu,
          limit: 0.5,
          kind: 'at most',
        },
      ],
    };
  },
};

function figuresOfOne(name: string, throughput: number, clientCpu: number, serverCpu: number): Record<string, number> {
  const peer = 'of ours over rate-limiter-flexible';
  return {
    [`${name}, throughput ${peer}`]: throughput,
    [`${name}, client CPU ${peer}`]: clientCpu,
    [`${name}, server CPU ${peer}`]: serverCpu,
  };
}

function figuresOf(values: Readonly<Record<string, number>>, unit: string): Record<string, number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`${name}, ${unit}`, value]));
}

/** The same script as fast as redis-benchmark can send it, where there is a redis-benchmark. */
async function ceiling(redis: Server, call: readonly string[], ours: number): Promise<Record<string, number | string>> {
  const name = 'ours, four fixed windows, part of what redis-benchmark gets from the same script';
  try {
    const { env } = await unpackDebianPackages(['redis-tools']);
    const args = ['-p', String(redis.port), '-c', '64', '-n', '30000', '--csv', ...call];
    const { stdout } = await promisify(execFile)('redis-benchmark', args, { env: { ...env }, timeout: 60_000 });
    const mostPerSecond = Number(stdout.trim().split('\n').at(-1)?.split('","')[1]);
    return { [name]: ours / mostPerSecond };
  } catch (error) {
    return { [name]: `not measured: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}` };
  }
}
