/** The scripts against the arithmetic in TypeScript, at times that the test chooses. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { systemClock } from '@sage-adk/core';
import { describeWithService } from '@tooling/services';
import fc from 'fast-check';
import { createClient, RESP_TYPES } from 'redis';
import type { CompiledRule } from '../../../src/compile.ts';
import { openRedisStore } from '../../../src/stores/redis/redis-store.ts';
import type { Answer, Ask, LimiterStore } from '../../../src/stores/store.ts';
import { Model } from './model.ts';
import { type Op, someOps, someRules } from './traces.ts';

const long = process.env['LONG'] === '1';
const startUs = Date.UTC(2026, 2, 28, 22) * 1_000;

describeWithService('redis', 'redis store at a time of its own', (url) => {
  const client = createClient({ url, database: 1 });
  let runs = 0;

  beforeAll(async () => {
    await client.connect();
  });
  afterAll(async () => {
    await client.flushDb();
    await client.close();
  });

  test(
    'RL17: answers what the arithmetic in TypeScript answers, to the unit and the microsecond',
    async () => {
      await fc.assert(
        fc.asyncProperty(someRules, someOps, async (rules, ops) => {
          if (rules.length === 0) return;
          const model = new Model(startUs);
          const clock = { ...systemClock, now: () => model.nowUs / 1_000 };
          const tag = `run-${process.pid}-${runs++}`;
          const store = openRedisStore({ client, prefix: 'test', tag, deadlineMs: 60_000, clock }, () => model.nowUs);
          for (const op of ops) {
            model.pass(op.passUs);
            const [answer, expected] = await act(op, rules, store, model);
            expect(answer).toEqual(expected);
          }
        }),
        { numRuns: long ? 5_000 : 400 },
      );
    },
    long ? 1_200_000 : 240_000,
  );

  test(
    'keeps what is used until it is forgotten, whether checks come alone or together',
    async () => {
      await fc.assert(
        fc.asyncProperty(someRules, someOps, async (rules, ops) => {
          if (rules.length === 0) return;
          let nowUs = startUs;
          const tag = `kept-${process.pid}-${runs++}`;
          const clock = { ...systemClock, now: () => nowUs / 1_000 };
          const store = openRedisStore({ client, prefix: 'test', tag, deadlineMs: 60_000, clock }, () => nowUs);
          for (const op of ops) {
            nowUs += op.passUs;
            const asks = asksOf(op, rules);
            const answer = await store.decide({ kind: 'consume', asks: op.ttlUs % 2 === 0 ? asks : asks.slice(0, 1) });
            await expectKept(answer, tag, nowUs);
          }
        }),
        { numRuns: long ? 2_000 : 100 },
      );
    },
    long ? 1_200_000 : 240_000,
  );

  test(
    'RL17: checks that are made together are decided one after the other, each as if it were alone',
    async () => {
      await fc.assert(
        fc.asyncProperty(someRules, someOps, async (drawn, ops) => {
          const rules = drawn.filter(({ strategy }) => strategy.kind === 'bucket' || strategy.kind === 'window');
          if (rules.length === 0) return;
          const model = new Model(startUs);
          const clock = { ...systemClock, now: () => model.nowUs / 1_000 };
          const tag = `together-${process.pid}-${runs++}`;
          const store = openRedisStore({ client, prefix: 'test', tag, deadlineMs: 60_000, clock }, () => model.nowUs);
          for (let first = 0; first < ops.length; first += 20) {
            model.nowUs += ops[first]?.passUs ?? 0;
            const requests = ops.slice(first, first + 20).map((op) => ({
              kind: op.ttlUs % 4 === 0 ? ('peek' as const) : ('consume' as const),
              asks: asksOf(op, rules),
            }));
            const answers = await Promise.all(requests.map(async (request) => store.decide(request)));
            expect(answers).toEqual(requests.map((request) => model.decide(request)));
          }
        }),
        { numRuns: long ? 2_000 : 150 },
      );
    },
    long ? 1_200_000 : 240_000,
  );

  async function expectKept({ findings }: Answer, tag: string, nowUs: number): Promise<void> {
    const binary = client.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
    for (const { rule, key, resetAfterUs } of findings) {
      // Slots are no use of quota.
      if (resetAfterUs === 0 || rule.strategy.kind === 'slots') continue;
      const kept = await binary.hGet(`{test:${tag}}:s:${encodeURIComponent(rule.space)}:${key}`, '~');
      expect(kept?.readDoubleBE(0)).toBeGreaterThanOrEqual(nowUs + resetAfterUs);
    }
  }
});

async function act(op: Op, drawn: readonly CompiledRule[], store: LimiterStore, model: Model): Promise<unknown[]> {
  const { kind, ttlUs, maxWaitUs } = op;
  const rules = drawn.map((rule) => limitOf(rule, op));
  const id = `reservation-${op.id}-aaaaaaaa`;
  const asks = asksOf(op, rules);
  switch (kind) {
    case 'force': {
      const request = { kind: 'consume', asks, force: true } as const;
      return [await store.decide(request), model.decide(request)];
    }
    case 'reserve': {
      const request = { kind, asks: everyAsk(op, rules), id, ttlUs, maxWaitUs };
      return [await store.decide(request), model.decide(request)];
    }
    case 'charge':
      return [await store.decide({ kind, asks, id }), model.decide({ kind, asks, id })];
    case 'settle': {
      const all = everyAsk(op, rules);
      return [await store.settle({ id, asks: all }), model.settle(id, all)];
    }
    case 'extend': {
      const all = everyAsk(op, rules);
      return [await store.extend({ id, asks: all, ttlUs }), model.extend(id, all, ttlUs)];
    }
    case 'reset':
      return [await store.reset(asks), model.reset(asks)];
    case 'snapshot': {
      const all = [0, 1].flatMap((key) => rules.map((rule): Ask => ({ rule, key: `key:${key}`, cost: 0 })));
      const rows = await store.snapshot(rules, 100);
      return [rows.map(rowText).toSorted(), model.snapshot(all).map(rowText).toSorted()];
    }
    default:
      return [await store.decide({ kind, asks }), model.decide({ kind, asks })];
  }
}

/** Another process may go by another limit of the same bucket. */
function limitOf(rule: CompiledRule, { ttlUs }: Op): CompiledRule {
  const { strategy } = rule;
  if (strategy.kind !== 'bucket' || ttlUs % 3 > 0) return rule;
  const known = others.get(rule) ?? {
    ...rule,
    strategy: { ...strategy, weight: Math.ceil((strategy.weight * 2) / 3) },
  };
  others.set(rule, known);
  return known;
}

const others = new WeakMap<CompiledRule, CompiledRule>();

/** Each rule at most once, and always with the key of the op's id, so that a reservation is asked about by its own keys. */
function asksOf({ asks, id }: Op, rules: readonly CompiledRule[]): Ask[] {
  return rules.flatMap((rule, index) => {
    const drawn = asks.find((ask) => ask.rule % rules.length === index);
    if (drawn === undefined) return [];
    return [
      { rule, key: `key:${id % 2}`, cost: rule.strategy.kind === 'slots' ? Math.min(1, drawn.cost) : drawn.cost },
    ];
  });
}

/** All rules: what reserves, and what ends a reservation, names the same asks. */
function everyAsk({ asks, id }: Op, rules: readonly CompiledRule[]): Ask[] {
  return rules.map((rule, index) => {
    const cost = asks[index % asks.length]?.cost ?? 0;
    return { rule, key: `key:${id % 2}`, cost: rule.strategy.kind === 'slots' ? Math.min(1, cost) : cost };
  });
}

function rowText({
  rule,
  key,
  remaining,
  resetAfterUs,
}: {
  rule: CompiledRule;
  key: string;
  remaining: number;
  resetAfterUs: number;
}): string {
  return `${rule.id} ${key} ${remaining} ${resetAfterUs}`;
}
