import { spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { observe, operate } from '@sage-adk/core';
import { catalogue } from '@sage-adk/core/catalogue';
import { createFakeClock } from '@sage-adk/core/testing';
import { createMetrics, type Metrics } from '../../src/index.ts';
import { collectExemplars, createScrape, renderMetrics, type RenderOptions } from '../../src/scrape/index.ts';
import { findPromtool } from '../support/promtool.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
const create = (): Metrics => {
  const metrics = createMetrics({ runtime: false });
  closing.push(() => metrics.close());
  return metrics;
};
const serve = async (listener: RequestListener): Promise<string> => {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`;
};
const textOf = async (metrics: Metrics, options?: RenderOptions): Promise<string> => {
  let text = '';
  for await (const piece of renderMetrics(metrics.instruments, options)) text += Buffer.from(piece).toString();
  return text;
};
const linesAbout = (text: string, name: string) => text.split('\n').filter((line) => line.includes(name));
const { promtool, skipped } = await findPromtool();

describe('the text', () => {
  test('is what prom-client writes of the same metrics, line by line', async () => {
    const metrics = create();
    metrics
      .counter({ name: 'odd_total', help: 'Odd \\ and\nlong.', labels: ['text'] })
      .with('a"b\\c\nd')
      .inc(3);
    for (let i = 0; i < 100; i++) {
      operate('llm.call', { provider: 'openai', model: `m${i}`, api: 'chat', stream: false }, () => {});
    }
    const wanted = (await metrics.registry.metrics()).split('\n').filter((line) => line !== '');
    const found = (await textOf(metrics)).split('\n').filter((line) => line !== '');
    expect(found.toSorted()).toEqual(wanted.toSorted());
  });

  test('as OpenMetrics names counters without _total, says units, and ends', async () => {
    const metrics = create();
    metrics.counter({ name: 'waits_seconds_total', help: 'Waits.', unit: 'seconds' }).with().inc();
    const text = await textOf(metrics, { format: 'openmetrics' });
    expect(linesAbout(text, ' waits_seconds').concat(linesAbout(text, 'waits_seconds_total 1'))).toEqual([
      '# HELP waits_seconds Waits.',
      '# TYPE waits_seconds counter',
      '# UNIT waits_seconds seconds',
      'waits_seconds_total 1',
    ]);
    expect(text.endsWith('\n# EOF\n')).toBe(true);
  });

  test('buckets have the last sampled trace as exemplar, in OpenMetrics only', async () => {
    const metrics = create();
    let sampled = true;
    const ids = () => ({ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), sampled });
    closing.push(() => tracer[Symbol.dispose]());
    const tracer = observe({ name: 'tracer', trace: ids });
    const exemplars = collectExemplars({ clock: createFakeClock({ nowMs: 1_500 }) });
    closing.push(() => exemplars[Symbol.dispose]());
    const request = { protocol: 'http', method: 'm', stream: false } as const;
    operate('agent.request', request, () => {});
    sampled = false;
    operate('agent.request', { ...request, method: 'other' }, () => {});
    const withExemplar = (text: string) => text.split('\n').filter((line) => line.includes(' # '));
    expect(withExemplar(await textOf(metrics, { format: 'openmetrics', exemplars }))).toEqual([
      expect.stringMatching(
        /^sage_agent_request_duration_seconds_bucket\{le="0\.01",.*method="m".*\} 1 # \{trace_id="a{32}",span_id="b{16}"\} \S+ 1\.500$/,
      ),
    ]);
    expect(withExemplar(await textOf(metrics, { exemplars }))).toEqual([]);
  });

  test('the event loop gets its turn between pieces', async () => {
    const metrics = create();
    const many = metrics.gauge({ name: 'many', help: 'Many.', labels: ['of'] });
    for (let i = 0; i < 900; i++) many.with(i).set(i);
    let turns = 0;
    let going = true;
    const turn = (): void => {
      turns++;
      if (going) setImmediate(turn);
    };
    setImmediate(turn);
    const text = await textOf(metrics, { sliceMs: 0 });
    going = false;
    expect(turns).toBeGreaterThanOrEqual(900 / 32);
    expect(linesAbout(text, 'many{')).toHaveLength(900);
  });

  (promtool === undefined ? test.skip : test)(
    `the whole catalogue passes promtool check metrics${skipped === undefined ? '' : ` (skipped: ${skipped})`}`,
    async () => {
      const metrics = createMetrics();
      closing.push(() => metrics.close());
      for (const name of Object.keys(catalogue.operations)) operate(name as 'tool.call', { tool: 't' }, () => {});
      const checker = spawn(promtool?.path ?? '', ['check', 'metrics'], { env: promtool?.env });
      let said = '';
      for (const output of [checker.stdout, checker.stderr])
        output.on('data', (data: Buffer) => void (said += String(data)));
      checker.stdin.end(await textOf(metrics));
      const code = await new Promise((resolve) => void checker.on('close', resolve));
      expect({ code, said }).toEqual({ code: 0, said: '' });
    },
  );
});

describe('the handler', () => {
  test.each([
    [undefined, 'text/plain; version=0.0.4; charset=utf-8'],
    ['*/*', 'text/plain; version=0.0.4; charset=utf-8'],
    [
      'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3',
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
    ],
    ['application/openmetrics-text;version=0.0.1,text/plain;q=0.1', 'text/plain; version=0.0.4; charset=utf-8'],
    ['application/openmetrics-text;q=0.2, text/plain', 'text/plain; version=0.0.4; charset=utf-8'],
  ])('answers "%s" with %s', async (accept, type) => {
    const url = await serve(createScrape({ metrics: create() }));
    const response = await fetch(url, { headers: accept === undefined ? {} : { accept } });
    expect(response.headers.get('content-type')).toBe(type);
    expect((await response.text()).endsWith('# EOF\n')).toBe(type.startsWith('application'));
    const head = await fetch(url, { method: 'HEAD', headers: accept === undefined ? {} : { accept } });
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([200, type, '']);
  });

  test('answers 404 elsewhere and 405 to other methods', async () => {
    const url = await serve(createScrape({ metrics: create() }));
    expect((await fetch(new URL('/other', url))).status).toBe(404);
    const post = await fetch(url, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  test('whoever reads slowly leaves no listener behind', async () => {
    const metrics = create();
    const many = metrics.gauge({ name: 'many', help: 'Many.', labels: ['of'] });
    for (let i = 0; i < 900; i++) many.with(i).set(i);
    let most = 0;
    let writes = 0;
    const response = Object.assign(new EventEmitter(), {
      writeHead: () => {},
      write() {
        writes++;
        setImmediate(() => {
          most = Math.max(most, ...response.eventNames().map((name) => response.listenerCount(name)));
          response.emit('drain');
        });
        return false;
      },
      end: () => void response.emit('finish'),
    });
    const finished = once(response, 'finish');
    const request = { url: '/metrics', method: 'GET', headers: {} } as IncomingMessage;
    createScrape({ metrics, sliceMs: 0 })(request, response as unknown as ServerResponse);
    await finished;
    expect(writes).toBeGreaterThan(20);
    // Each that waits hears of an error too, and so does this test.
    expect(most).toBeLessThanOrEqual(3);
  });

  test('scrapes that come while one is rendered share it, and each gets all of it', async () => {
    const metrics = create();
    const many = metrics.gauge({ name: 'many', help: 'Many.', labels: ['of'] });
    for (let i = 0; i < 900; i++) many.with(i).set(i);
    let renderings = 0;
    const counting = {
      get instruments() {
        renderings++;
        return metrics.instruments;
      },
    };
    const handle = createScrape({ metrics: counting, sliceMs: 0 });
    const held: (() => void)[] = [];
    const url = await serve((request, response) => {
      held.push(() => handle(request, response));
      if (held.length === 4) for (const go of held) go();
    });
    const texts = await Promise.all(Array.from({ length: 4 }, async () => (await fetch(url)).text()));
    expect(renderings).toBe(1);
    expect(new Set(texts).size).toBe(1);
    expect(linesAbout(texts[0] ?? '', 'many{')).toHaveLength(900);
  });
});
