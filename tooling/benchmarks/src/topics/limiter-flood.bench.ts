import { inOwnProcess } from '../harness/child.ts';
import type { Gate, Report, Topic } from '../harness/topic.ts';

interface Flood {
  readonly foreign: number;
  readonly denied: number;
  readonly overflowed: number;
  readonly greedyPerSecond: number;
  readonly quiet: Times;
  readonly flooded: Times;
  readonly bytesAfterFirst: number;
  readonly bytesAfterLast: number;
}

interface Times {
  readonly medianNs: number;
  readonly p99Ns: number;
}

const worker = new URL('../workers/limiter-flood.ts', import.meta.url);
const kinds = ['distinct keys', 'one key'] as const;

export const topic: Topic = {
  name: 'Limiter in memory: a flood of 10,000,000 checks, all of new keys or all of one, and 2,000 users who were there before',
  async run(): Promise<Report> {
    const figures: Record<string, number> = {};
    const gates: Gate[] = [];
    for (const kind of kinds) {
      const flood = await inOwnProcess<Flood>(worker, [kind, '10000000']);
      Object.assign(figures, figuresOf(kind, flood));
      gates.push(...gatesOf(kind, flood));
    }
    return { figures, gates };
  },
};

function figuresOf(kind: string, { quiet, flooded, bytesAfterFirst, bytesAfterLast }: Flood): Record<string, number> {
  return {
    [`${kind}: a user's check in a quiet second, median, ns`]: quiet.medianNs,
    [`${kind}: a user's check in a flooded second, median, ns`]: flooded.medianNs,
    [`${kind}: a user's check in a quiet second, p99, ns`]: quiet.p99Ns,
    [`${kind}: a user's check in a flooded second, p99, ns`]: flooded.p99Ns,
    [`${kind}: memory in use after the first tenth of the flood, MB`]: bytesAfterFirst / 1e6,
    [`${kind}: memory in use after all of it, MB`]: bytesAfterLast / 1e6,
  };
}

/** A flooded cache makes a check a few times as long; it stays within microseconds. */
function gatesOf(kind: string, flood: Flood): readonly Gate[] {
  const { denied, overflowed, greedyPerSecond, quiet, flooded, bytesAfterFirst, bytesAfterLast } = flood;
  return [
    { name: `${kind}: users within their limit who were denied`, value: denied, limit: 0, kind: 'at most' },
    { name: `${kind}: users who shared a place with strangers`, value: overflowed, limit: 0, kind: 'at most' },
    {
      name: `${kind}: what one who is over the limit gets, of what is due`,
      value: greedyPerSecond / 2,
      limit: 1,
      kind: 'at most',
    },
    {
      name: `${kind}: median check, flooded over quiet`,
      value: flooded.medianNs / quiet.medianNs,
      limit: 5,
      kind: 'at most',
    },
    { name: `${kind}: p99 check, flooded over quiet`, value: flooded.p99Ns / quiet.p99Ns, limit: 5, kind: 'at most' },
    {
      name: `${kind}: memory after the last million over memory after the first`,
      value: bytesAfterLast / bytesAfterFirst,
      limit: 1.05,
      kind: 'at most',
    },
  ];
}
