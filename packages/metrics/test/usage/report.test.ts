import { beforeEach, describe, expect, test } from '@jest/globals';
import { createFakeClock } from '@sage-adk/core/testing';
import {
  createMemoryUsage,
  createUsageReport,
  usageToCsv,
  usageToJson,
  usageToMarkdown,
  type UsageStore,
} from '../../src/usage/index.ts';
import { noUsage, type UsageRow } from '../../src/usage/row.ts';

const clock = createFakeClock({ nowMs: Date.parse('2026-11-28T12:00:00Z') });
let store: UsageStore;
let batches = 0;
const book = (day: string, fields: Partial<UsageRow>) => {
  const key = { tenant: 'acme', user: 'ann', agent: 'weather', session: '', provider: '', model: '' };
  return store.add({ id: String(++batches), day, rows: [{ ...noUsage, ...key, ...fields }] });
};
const calls = { provider: 'openai', model: 'gpt-x', calls: 1 };

beforeEach(async () => {
  store = createMemoryUsage();
  await book('2026-11-20', { user: 'old', messages: 1, session: 's0' });
  await book('2026-11-24', { user: 'dan', messages: 1, session: 's9' });
  await book('2026-11-26', { messages: 2, session: 's1' });
  await book('2026-11-26', { ...calls, inputTokens: 10, costNanoUsd: 1_500_000_000n });
  await book('2026-11-27', { messages: 1, session: 's1' });
  await book('2026-11-27', { messages: 3, session: 's2' });
  await book('2026-11-27', { ...calls, user: 'bob', tenant: 'other', model: 'new', unknownCostCalls: 1 });
  await book('2026-11-27', { user: '', messages: 5 });
});

describe('the usage report', () => {
  const make = () => createUsageReport({ store, from: '2026-11-26', to: '2026-11-28', clock });

  test('OC3: cost by tenant, user, model and day, the costliest first', async () => {
    const { total, byTenant, byUser, byModel, byDay, byAgent } = await make();
    expect(total).toMatchObject({ messages: 11, calls: 2, costNanoUsd: 1_500_000_000n, unknownCostCalls: 1 });
    expect(byTenant.map(({ label, costNanoUsd }) => [label, costNanoUsd])).toEqual([
      ['acme', 1_500_000_000n],
      ['other', 0n],
    ]);
    expect(byUser.map(({ tenant, label, messages }) => [tenant, label, messages])).toEqual([
      ['acme', 'ann', 6],
      ['acme', '', 5],
      ['other', 'bob', 0],
    ]);
    expect(byModel.map(({ label }) => label)).toEqual(['openai/gpt-x', 'openai/new']);
    expect(byDay.map(({ label, calls: count }) => [label, count])).toEqual([
      ['2026-11-26', 1],
      ['2026-11-27', 1],
      ['2026-11-28', 0],
    ]);
    expect(byAgent.map(({ label }) => label)).toEqual(['weather']);
  });

  test('OC3: sessions and messages per user; a session of two days is one', async () => {
    const { byUser } = await make();
    expect(byUser[0]).toMatchObject({ label: 'ann', sessions: 2, messages: 6 });
  });

  test('OC3: active users of each day, and of the seven days that end with it', async () => {
    expect((await make()).activeUsers).toEqual([
      { day: '2026-11-26', users: 1, usersOfWeek: 3 },
      { day: '2026-11-27', users: 2, usersOfWeek: 3 },
      { day: '2026-11-28', users: 0, usersOfWeek: 3 },
    ]);
  });

  test('one tenant alone', async () => {
    const report = await createUsageReport({ store, from: '2026-11-26', to: '2026-11-28', tenant: 'other', clock });
    expect([report.total.calls, report.byUser.length]).toEqual([1, 1]);
  });

  test('beyond its top a list ends with one line of the rest, and its sums are the total', async () => {
    const report = await createUsageReport({ store, from: '2026-11-01', to: '2026-11-28', top: 2, clock });
    expect(report.byUser.map(({ label }) => label)).toEqual(['ann', 'other']);
    expect(report.byUser.reduce((sum, { messages }) => sum + messages, 0)).toBe(report.total.messages);
  });

  test('OC3: JSON has costs as exact decimals', async () => {
    const { total, byModel } = JSON.parse(usageToJson(await make()));
    expect([total.costUsd, byModel[0].costUsd, byModel[1]]).toMatchObject([
      '1.50',
      '1.50',
      { costUsd: '0.00', unknownCostCalls: 1 },
    ]);
    await book('2026-11-26', { ...calls, costNanoUsd: 9_007_199_254_740_993_001n });
    expect(JSON.parse(usageToJson(await make())).total.costUsd).toBe('9007199256.240993001');
  });

  test('OC3: CSV quotes, and a cell is never a formula', async () => {
    await book('2026-11-28', { user: '=cmd("x"),1', messages: 1 });
    const lines = usageToCsv(await make()).split('\r\n');
    expect(lines[0]).toMatch(/^list,label,tenant,sessions,messages,/);
    expect(lines.find((line) => line.includes('cmd'))).toMatch(/^byUser,"'=cmd\(""x""\),1",acme,0,1,/);
    expect(lines).toContain('activeUsers,week,2026-11-26,3');
  });

  test('OC3: Markdown is a table whatever the names are, and says what is unknown', async () => {
    await book('2026-11-28', { user: 'a|b\n<img src=x>', messages: 1 });
    const text = usageToMarkdown(await make());
    expect(text).toContain('# Usage, 2026-11-26 to 2026-11-28');
    expect(text).toContain(
      '12 messages, 2 calls of a model, 1.50 USD. The cost of 1 more calls is unknown, and in none of the sums.',
    );
    expect(text).toContain('| acme | a\\|b &lt;img src=x\\> | 0 | 1 |');
    expect(text).toContain('| acme | none | 0 | 5 |');
  });

  test('a range that would take seconds to add up is refused', async () => {
    const report = (from: string, to: string) => createUsageReport({ store, from, to, clock });
    await expect(report('2016-11-19', '2026-11-28')).rejects.toThrow(
      /from is "2016-11-19"; it must be one of the last/,
    );
    await expect(report('2026-11-28', '2027-11-30')).rejects.toThrow(/to is "2027-11-30"; it must be at most 366 days/);
    await expect(report('9999-01-01', '9999-12-31')).rejects.toThrow(/to is "9999-12-31"/);
    expect((await report('2016-11-20', '2027-11-29')).byDay).toHaveLength(4_027);
  });

  test('a day that is none, or a range that ends before it begins, is refused', async () => {
    const report = (from: string, to: string) => createUsageReport({ store, from, to, clock });
    await expect(report('2026-02-30', '2026-03-01')).rejects.toThrow(/from is "2026-02-30"/);
    await expect(report('2026-02-02', '2026-02-01')).rejects.toThrow(/to is "2026-02-01"/);
  });
});
