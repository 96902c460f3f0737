import { afterEach, describe, expect, test } from '@jest/globals';
import { operate } from '@sage-adk/core';
import { createFakeClock } from '@sage-adk/core/testing';
import { Counter, Registry } from 'prom-client';
import { createMetrics, type Metrics } from '../../src/index.ts';
import {
  createSloMonitor,
  defineSlo,
  requestsAvailable,
  requestsWithin,
  slaToCsv,
  slaToJson,
  slaToMarkdown,
  type Slo,
} from '../../src/slo/index.ts';

const hourMs = 3_600_000;
const open: { close(): Promise<void> }[] = [];
afterEach(() => Promise.all(open.splice(0).map((one) => one.close())));

const request = (fails = false): void => {
  try {
    operate('agent.request', { protocol: 'http', method: 'm', stream: false }, () => {
      if (fails) throw new Error('no');
    });
  } catch {}
};

function start(slos: readonly Slo[]) {
  const clock = createFakeClock({ nowMs: Date.parse('2026-11-28T22:30:00Z') });
  const metrics: Metrics = createMetrics({ runtime: false });
  const monitor = createSloMonitor({ slos, registry: metrics.registry, clock });
  open.push(monitor, metrics);
  return { clock, monitor };
}

describe('the SLA report', () => {
  const availability = defineSlo({ name: 'availability', objective: 0.9, windowDays: 2, indicator: requestsAvailable });

  test('OC4: says what was achieved, whether that is enough, what is left of the budget, and which days missed', async () => {
    const { clock, monitor } = start([availability]);
    await monitor.report();
    for (let i = 0; i < 18; i++) request();
    for (let i = 0; i < 2; i++) request(true);
    await monitor.report();
    clock.advance(2 * hourMs);
    for (let i = 0; i < 20; i++) request();
    const [line] = (await monitor.report()).objectives;
    expect(line).toMatchObject({
      name: 'availability',
      total: 40,
      bad: 2,
      achieved: 0.95,
      met: true,
      knownSince: '2026-11-28T22:30:00.000Z',
    });
    expect(line?.budgetLeft).toBeCloseTo(0.5, 9);
    expect(line?.days).toEqual([
      { day: '2026-11-28', total: 20, bad: 2, achieved: 0.9, met: true },
      { day: '2026-11-29', total: 20, bad: 0, achieved: 1, met: true },
    ]);
  });

  test('OC4: what is older than the window is forgotten', async () => {
    const { clock, monitor } = start([availability]);
    await monitor.report();
    request(true);
    await monitor.report();
    clock.advance(49 * hourMs);
    request();
    const [line] = (await monitor.report()).objectives;
    expect(line).toMatchObject({ total: 1, bad: 0, knownSince: '2026-11-29T00:00:00.000Z' });
  });

  test('OC4: latency counts what ended well within its bound', async () => {
    const { monitor } = start([defineSlo({ name: 'latency', objective: 0.9, indicator: requestsWithin(10.24) })]);
    await monitor.report();
    request();
    request(true);
    expect((await monitor.report()).objectives).toMatchObject([{ type: 'latency', total: 1, bad: 0, met: true }]);
  });

  test('OC4: quality reads counters of your own, also from prom-client, and a counter that began anew', async () => {
    const registry = new Registry();
    const rated = new Counter({ name: 'rated_total', help: 'Rated.', labelNames: ['rating'], registers: [registry] });
    const [total, good] = [{ metric: 'rated_total' }, { metric: 'rated_total', where: { rating: ['good', 'fine'] } }];
    const slo = defineSlo({ name: 'rated', objective: 0.5, indicator: { type: 'quality', total, good } });
    const clock = createFakeClock();
    const monitor = createSloMonitor({ slos: [slo], registry, clock });
    open.push(monitor);
    rated.inc({ rating: 'bad' }, 5);
    await monitor.report();
    rated.inc({ rating: 'good' }, 3);
    rated.inc({ rating: 'bad' }, 1);
    expect((await monitor.report()).objectives).toMatchObject([{ total: 9, bad: 6 }]);
    rated.reset();
    rated.inc({ rating: 'fine' }, 1);
    expect((await monitor.report()).objectives).toMatchObject([{ total: 10, bad: 6 }]);
  });

  test('OC4: what is known to be good only later is no counter that began anew, and is taken from the hour that had it as bad', async () => {
    const registry = new Registry();
    const counter = (name: string) => new Counter({ name, help: 'Answers.', registers: [registry] });
    const [answers, good] = [counter('answers_total'), counter('answers_good_total')];
    const indicator = {
      type: 'quality',
      total: { metric: 'answers_total' },
      good: { metric: 'answers_good_total' },
    } as const;
    const clock = createFakeClock({ nowMs: Date.parse('2026-11-28T23:30:00Z') });
    const slo = defineSlo({ name: 'rated', objective: 0.9, indicator });
    const monitor = createSloMonitor({ slos: [slo], registry, clock });
    open.push(monitor);
    await monitor.report();
    answers.inc(10);
    expect((await monitor.report()).objectives).toMatchObject([{ total: 10, bad: 10 }]);
    clock.advance(hourMs);
    answers.inc(5);
    await monitor.report();
    good.inc(14);
    const [line] = (await monitor.report()).objectives;
    expect(line).toMatchObject({ total: 15, bad: 1, met: true });
    expect(line?.days).toMatchObject([
      { day: '2026-11-28', total: 10, bad: 1 },
      { day: '2026-11-29', total: 5, bad: 0 },
    ]);
  });

  test('OC4: readings at the same time count nothing twice, whichever is the slower', async () => {
    let jobs = 0;
    const answers: (() => void)[] = [];
    const metric = {
      get() {
        const values = [{ value: jobs, labels: {} }];
        return new Promise((resolve) => answers.push(() => resolve({ values })));
      },
    };
    const registry = { getSingleMetric: (name: string) => (name === 'jobs_total' ? metric : undefined) };
    const indicator = { type: 'availability', total: { metric: 'jobs_total' }, bad: { metric: 'bad_total' } } as const;
    const slo = defineSlo({ name: 'jobs', objective: 0.9, indicator });
    const monitor = createSloMonitor({ slos: [slo], registry, clock: createFakeClock() });
    open.push(monitor);
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    const reports = [];
    for (const now of [0, 100, 150]) {
      await settle();
      if (now === 100) answers.shift()?.();
      await settle();
      jobs = now;
      reports.push(monitor.report());
    }
    // The newest question is answered first.
    const answer = async () => {
      for (let i = 0; i < 10; i++) {
        await settle();
        answers.pop()?.();
      }
    };
    await answer();
    await Promise.all(reports);
    const last = monitor.report();
    await answer();
    expect((await last).objectives).toMatchObject([{ total: 150 }]);
  });

  test('OC4: where nothing happened nothing is met or missed', async () => {
    const { monitor } = start([availability]);
    expect((await monitor.report()).objectives).toMatchObject([{ total: 0, achieved: undefined, met: undefined }]);
  });

  test('OC4: as JSON, CSV and Markdown', async () => {
    const { monitor } = start([availability]);
    await monitor.report();
    request();
    request(true);
    const report = await monitor.report();
    expect(JSON.parse(slaToJson(report)).objectives[0]).toMatchObject({ achieved: 0.5, met: false });
    expect(slaToCsv(report).split('\r\n')).toContain('availability,availability,0.9,2,2026-11-28,2,1,0.5,false,');
    expect(slaToMarkdown(report)).toContain(
      '| availability | 90 % | 2 days, known since 2026-11-28T22:30Z | 2 | 1 | 50 % | -400 % | missed |',
    );
    expect(slaToMarkdown(report)).toContain('| availability | 2026-11-28 | 2 | 1 | 50 % |');
  });
});
