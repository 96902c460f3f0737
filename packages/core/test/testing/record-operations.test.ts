import { describe, expect, test } from '@jest/globals';
import { emit, operate } from '../../src/index.ts';
import { recordOperations } from '../../src/testing/index.ts';

describe('recordOperations', () => {
  test('keeps operations in the order of their ends, and of their starts', async () => {
    const recorder = recordOperations();
    await operate('storage.get', { store: 'memory', namespace: 'a' }, async (operation) => {
      operate('tool.call', { tool: 't' }, () => 1);
      operation.set({ hit: true });
    });
    expect(recorder.operations.map(({ name }) => name)).toEqual(['tool.call', 'storage.get']);
    expect(recorder.started.map(({ name }) => name)).toEqual(['storage.get', 'tool.call']);
    expect(recorder.named('storage.get')).toMatchObject([
      { start: { namespace: 'a' }, attributes: { hit: true }, outcome: 'ok' },
    ]);
    recorder[Symbol.dispose]();
  });

  test('keeps failures with their error', () => {
    const recorder = recordOperations();
    const error = new Error('broken');
    expect(() =>
      operate('tool.call', { tool: 't' }, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(recorder.named('tool.call')[0]).toMatchObject({ outcome: 'error', error });
    recorder[Symbol.dispose]();
  });

  test('keeps events', () => {
    const recorder = recordOperations();
    emit('agent.state', { from: 'a', to: 'b' });
    emit('timeout.fired', { operation: 'x', timeoutMs: 5 });
    expect(recorder.events.map(({ name }) => name)).toEqual(['agent.state', 'timeout.fired']);
    expect(recorder.emitted('timeout.fired')).toEqual([{ operation: 'x', timeoutMs: 5 }]);
    recorder[Symbol.dispose]();
  });

  test('can forget, and stops when it is disposed', () => {
    const recorder = recordOperations();
    operate('tool.call', { tool: 't' }, () => 1);
    emit('agent.state', { from: 'a', to: 'b' });
    recorder.clear();
    expect([recorder.operations, recorder.started, recorder.events]).toEqual([[], [], []]);
    recorder[Symbol.dispose]();
    operate('tool.call', { tool: 't' }, () => 1);
    expect(recorder.operations).toEqual([]);
  });
});
