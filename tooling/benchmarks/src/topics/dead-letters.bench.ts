import { started, startPostgres } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';
import type { Cost, DeadLettersReport } from '../workers/dead-letters.ts';

const worker = new URL('../workers/dead-letters.ts', import.meta.url);

export const topic: Topic = {
  name: 'Dead letters on PostgreSQL: 8 workers, claims of 50, beside pg-boss on the same pool',
  async run(): Promise<Report> {
    await using postgres = started(await startPostgres({ fresh: true }));
    const rounds = await inOwnProcess<DeadLettersReport>(worker, [postgres.url]);
    const costs = (name: string): readonly Cost[] =>
      rounds.flatMap((round) => Object.entries(round).flatMap(([key, cost]) => (key.startsWith(name) ? [cost] : [])));
    // Of pairs that ran one after the other: a busy neighbour hits both.
    const over = (step: string, of: (cost: Cost) => number): number => {
      const own = costs(`ours, ${step}`).map(of);
      return median(costs(`pg-boss, ${step}`).map((cost, index) => of(cost) / (own[index] ?? Number.NaN)));
    };
    const wall = ({ wallUs }: Cost): number => wallUs;
    const processor = ({ clientUs, serverUs }: Cost): number => clientUs + serverUs;
    const names = ['pg-boss, put', 'pg-boss, claim', 'ours, put', 'ours, claim'];
    return {
      figures: Object.fromEntries(
        names.flatMap((name) => [
          [`${name}, letters per second`, 1e6 / median(costs(name).map(wall))],
          [`${name}, processor time of client and server, us per letter`, median(costs(name).map(processor))],
        ]),
      ),
      gates: [
        { name: 'put, over pg-boss', value: over('put', wall), limit: 1.3, kind: 'at least' },
        { name: 'claim, over pg-boss', value: over('claim', wall), limit: 1.3, kind: 'at least' },
        { name: 'put, over pg-boss in processor time', value: over('put', processor), limit: 1.3, kind: 'at least' },
        {
          name: 'claim, over pg-boss in processor time',
          value: over('claim', processor),
          limit: 1.3,
          kind: 'at least',
        },
      ],
    };
  },
};
