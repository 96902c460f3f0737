import { startPostgres, started } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';
import type { LimiterPostgresReport } from '../workers/limiter-postgres.ts';

const worker = new URL('../workers/limiter-postgres.ts', import.meta.url);

export const topic: Topic = {
  name: 'Limiter on PostgreSQL: 32 calls in flight, 8 connections, beside rate-limiter-flexible on the same driver',
  async run(): Promise<Report> {
    await using postgres = started(await startPostgres({ fresh: true }));
    const rounds = await inOwnProcess<LimiterPostgresReport>(worker, [postgres.url]);
    const over = (ours: string, how = ''): number =>
      median(rounds.map((round) => (round[`${ours}${how}`] ?? 0) / (round[`rate-limiter-flexible, one${how}`] ?? 0)));
    const names = Object.keys(rounds[0] ?? {});
    return {
      figures: {
        ...Object.fromEntries(
          names.map((name) => [`${name}, decisions per second`, median(rounds.map((round) => round[name] ?? 0))]),
        ),
        'settings of the server': 'fsync and synchronous_commit on; every table of the peer is LOGGED',
        // Nothing to share a statement with: the price of the functions themselves.
        'one rule, LOGGED, one at a time, over rate-limiter-flexible': over('ours, one, LOGGED', ', one at a time'),
        'one rule, UNLOGGED, one at a time, over rate-limiter-flexible': over('ours, one, UNLOGGED', ', one at a time'),
        'four rules in one call, LOGGED, over one rule of rate-limiter-flexible': over('ours, four, LOGGED'),
        'four rules in one call, LOGGED, over four calls of rate-limiter-flexible': median(
          rounds.map((round) => (round['ours, four, LOGGED'] ?? 0) / (round['rate-limiter-flexible, four calls'] ?? 0)),
        ),
      },
      gates: [
        {
          name: 'one rule, LOGGED, over rate-limiter-flexible',
          value: over('ours, one, LOGGED'),
          limit: 1,
          kind: 'at least',
        },
        {
          name: 'one rule, UNLOGGED, over rate-limiter-flexible',
          value: over('ours, one, UNLOGGED'),
          limit: 1.5,
          kind: 'at least',
        },
        {
          name: 'four rules in one call, UNLOGGED, over one rule of rate-limiter-flexible',
          value: over('ours, four, UNLOGGED'),
          limit: 0.9,
          kind: 'at least',
        },
      ],
    };
  },
};
