import { started, startPostgres } from '@tooling/services';
import { inOwnProcess } from '../harness/child.ts';
import { median } from '../harness/measure.ts';
import type { Report, Topic } from '../harness/topic.ts';
import type { DeadLettersReport } from '../workers/dead-letters.ts';

const worker = new URL('../workers/dead-letters.ts', import.meta.url);

export const topic: Topic = {
  name: 'Dead letters on PostgreSQL: 8 workers, claims of 50, beside pg-boss on the same pool',
  async run(): Promise<Report> {
    await using postgres = started(await startPostgres({ fresh: true }));
    const rounds = await inOwnProcess<DeadLettersReport>(worker, [postgres.url]);
    const over = (step: string): number =>
      median(rounds.map((round) => (round[`ours, ${step}`] ?? 0) / (round[`pg-boss, ${step}`] ?? 0)));
    const names = Object.keys(rounds[0] ?? {});
    return {
      figures: Object.fromEntries(
        names.map((name) => [`${name}, letters per second`, median(rounds.map((round) => round[name] ?? 0))]),
      ),
      gates: [
        { name: 'put, over pg-boss', value: over('put'), limit: 1.3, kind: 'at least' },
        { name: 'claim, over pg-boss', value: over('claim'), limit: 1.3, kind: 'at least' },
      ],
    };
  },
};
