import { Agent, createServer, get, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { createFakeClock, recordOperations } from '@sage-adk/core/testing';
import { createDrain, type DrainStep, serverStep } from '../../src/drain/index.ts';
import { createHealth } from '../../src/index.ts';

describe('a drain', () => {
  test('is not ready at once, waits, then takes its steps in order, and reports', async () => {
    const clock = createFakeClock();
    const order: string[] = [];
    const step = (name: string): DrainStep => ({
      name,
      announce: () => void order.push(`${name} announced`),
      run: () => void order.push(name),
    });
    await using health = createHealth({ clock });
    health.markStarted();
    const drain = createDrain({ health, steps: [step('server'), step('logs'), step('pools')], clock });
    expect(drain.draining).toBe(false);
    const report = drain.start('SIGTERM');
    expect(drain.draining).toBe(true);
    expect(health.ready()).toMatchObject({ status: 'fail', reason: 'SIGTERM' });
    await clock.advanceAsync(4_999);
    expect(order).toEqual(['server announced', 'logs announced', 'pools announced']);
    await clock.advanceAsync(1);
    expect(order.slice(3)).toEqual(['server', 'logs', 'pools']);
    expect(await report).toMatchObject({ reason: 'SIGTERM', complete: true, durationMs: 5_000 });
    expect(await drain.start()).toBe(await report);
    expect(order).toHaveLength(6);
  });

  test('goes on where a step fails or takes too long, and says so', async () => {
    using recorded = recordOperations();
    const clock = createFakeClock();
    let aborted = false;
    const drain = createDrain({
      preStopDelayMs: 0,
      clock,
      steps: [
        { name: 'spans', run: () => Promise.reject(new Error('collector https://user:secret@host refused')) },
        {
          name: 'streams',
          timeoutMs: 1_000,
          run: (signal) => {
            signal.addEventListener('abort', () => (aborted = true));
            return new Promise(() => {});
          },
        },
        { name: 'pools', run() {} },
      ],
    });
    const report = drain.start();
    await clock.advanceAsync(1_000);
    expect(aborted).toBe(true);
    const { complete, steps } = await report;
    expect(complete).toBe(false);
    expect(steps.map(({ name, outcome }) => `${name}: ${outcome}`)).toEqual([
      'spans: error',
      'streams: timeout',
      'pools: ok',
    ]);
    expect(recorded.emitted('error.critical').map(({ reason }) => reason)).toEqual(['step_error', 'step_timeout']);
    expect(recorded.emitted('error.critical')[0]?.message).not.toContain('secret');
  });

  test('is over at its deadline, and even then each step is begun', async () => {
    const clock = createFakeClock();
    const begun: string[] = [];
    const hanging = (name: string): DrainStep => ({
      name,
      timeoutMs: 60_000,
      run: () => {
        begun.push(name);
        return new Promise(() => {});
      },
    });
    const steps = [hanging('server'), hanging('logs'), hanging('pools')];
    const report = createDrain({ steps, preStopDelayMs: 0, deadlineMs: 1_000, clock }).start();
    await clock.advanceAsync(1_000);
    expect((await report).durationMs).toBe(1_000);
    expect(begun).toEqual(['server', 'logs', 'pools']);
  });

  test('takes its steps also where the health throws, and whatever a step throws', async () => {
    using recorded = recordOperations();
    const setDraining = (): void => {
      throw new Error('no listener');
    };
    const run = () => Promise.reject(Object.create(null));
    const steps = [{ name: 'logs', run }];
    const report = await createDrain({ health: { setDraining }, steps, preStopDelayMs: 0 }).start();
    expect(report.steps).toMatchObject([{ name: 'logs', outcome: 'error' }]);
    expect(recorded.emitted('error.critical').map(({ message }) => message)).toEqual([
      'The step health of the drain: no listener',
      'The step logs of the drain: something that is no text',
    ]);
  });

  test.each([
    [{ steps: [], preStopDelayMs: -1 }, 'preStopDelayMs'],
    [{ steps: [], preStopDelayMs: 5_000, deadlineMs: 4_000 }, 'deadlineMs'],
    [{ steps: [{ name: 'logs', timeoutMs: 0, run() {} }] }, 'timeoutMs of logs'],
  ])('a bad option is named: %j', (options, name) => {
    expect(() => createDrain(options)).toThrow(name);
  });
});

describe('the step of a server', () => {
  async function serve(
    listener: RequestListener,
    { before = () => {} }: { before?: (server: Server) => void } = {},
  ): Promise<{ server: Server; url: string }> {
    const server = createServer(listener);
    before(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
  }

  test('lets requests and streams come to their end, and accepts no more', async () => {
    const { server, url } = await serve((_request, response) => {
      response.write('first ');
      setTimeout(() => response.end('last'), 15);
    });
    const [response] = (await once(get(url), 'response')) as [IncomingMessage];
    const report = createDrain({ steps: [serverStep(server)], preStopDelayMs: 0 }).start();
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    expect(text).toBe('first last');
    expect((await report).complete).toBe(true);
    await expect(fetch(url)).rejects.toThrow('fetch failed');
  });

  test('an answer that is read slowly is read to its end, though it was complete long before', async () => {
    const size = 16 * 1024 * 1024;
    let step: DrainStep | undefined;
    const { server, url } = await serve((_request, response) => response.end(Buffer.alloc(size)), {
      before: (made) => (step = serverStep(made)),
    });
    const [response] = (await once(get(url, { agent: new Agent({ keepAlive: true }) }), 'response')) as [
      IncomingMessage,
    ];
    await once(response, 'readable');
    const report = createDrain({ steps: step === undefined ? [] : [step], preStopDelayMs: 0 }).start();
    for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setTimeout(resolve, 15));
    let read = 0;
    for await (const chunk of response) read += (chunk as Buffer).length;
    expect(read).toBe(size);
    expect((await report).complete).toBe(true);
    expect(server.listening).toBe(false);
  });

  test('each answer during the delay is the last of its connection', async () => {
    const { server, url } = await serve((_request, response) => response.end('served'));
    const clock = createFakeClock();
    const report = createDrain({ steps: [serverStep(server)], preStopDelayMs: 5_000, clock }).start();
    const answer = await fetch(url);
    expect([await answer.text(), answer.headers.get('connection')]).toEqual(['served', 'close']);
    await clock.advanceAsync(5_000);
    expect((await report).complete).toBe(true);
  });

  test('does not wait for a connection that was opened in advance, but for a request that is just coming on one', async () => {
    let step: DrainStep | undefined;
    const { server, url } = await serve((_request, response) => response.end('served'), {
      before: (made) => (step = serverStep(made, { timeoutMs: 60_000 })),
    });
    const port = Number(new URL(url).port);
    const unused = connect(port, '127.0.0.1').resume();
    await once(server, 'connection');
    const coming = connect(port, '127.0.0.1');
    await once(server, 'connection');
    const closed = once(unused, 'close');
    const report = createDrain({ steps: step === undefined ? [] : [step], preStopDelayMs: 0 }).start();
    coming.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    let text = '';
    for await (const chunk of coming) text += String(chunk);
    expect(text).toContain('served');
    await closed;
    expect((await report).complete).toBe(true);
  });

  test('cuts upgraded connections when its time is over', async () => {
    let step: DrainStep | undefined;
    const { server, url } = await serve(() => {}, {
      before: (made) => (step = serverStep(made, { timeoutMs: 20 })),
    });
    server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\n\r\n'));
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    await once(socket, 'data');
    const closed = once(socket, 'close');
    const report = await createDrain({ steps: step === undefined ? [] : [step], preStopDelayMs: 0 }).start();
    expect(report).toMatchObject({ complete: false, steps: [{ name: 'server', outcome: 'timeout' }] });
    await closed;
  });

  test('cuts what does not end in its time', async () => {
    const { server, url } = await serve(() => {});
    const cut = expect(fetch(url)).rejects.toThrow('fetch failed');
    await once(server, 'request');
    const report = createDrain({ steps: [serverStep(server, { timeoutMs: 20 })], preStopDelayMs: 0 }).start();
    await cut;
    expect(await report).toMatchObject({ complete: false, steps: [{ name: 'server', outcome: 'timeout' }] });
  });
});
