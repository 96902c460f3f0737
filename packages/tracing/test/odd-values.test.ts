import { expect, jest, test } from '@jest/globals';
import { SpanStatusCode } from '@opentelemetry/api';
import { type Context, operate, run } from '@sage-adk/core';
import { attributeNames } from '../src/spans/attributes.ts';
import { record, request } from './support/recording.ts';

const throws = () => {
  throw new Error('no');
};

test('a request whose context holds no texts has a span all the same', () => {
  using recording = record();
  const context = { userId: 42, sessionId: null, tenant: {}, agentId: 'a' };
  run(context as unknown as Context, () => operate('agent.request', request, () => 1));
  const { attributes } = recording.span('SendMessage');
  expect(attributes).toMatchObject({ 'user.id': 42, 'gen_ai.agent.id': 'a' });
  expect(attributes).not.toHaveProperty('sage.tenant');
});

test.each([
  ['a stack', Object.defineProperty(new Error('boom'), 'stack', { get: throws }), 'boom'],
  ['any member', new Proxy(new DOMException('gone', 'AbortError'), {}), 'error'],
])('an operation whose error has %s that cannot be read ends its span as failed', async (_name, error, message) => {
  using recording = record();
  // The matchers of a thrown error would read it.
  await operate('agent.request', request, () => Promise.reject(error as Error)).catch(() => {});
  expect(recording.span('SendMessage').status).toEqual({ code: SpanStatusCode.ERROR, message });
});

test('a span ends though an attribute cannot be read', () => {
  using recording = record();
  operate('agent.request', request, (operation) =>
    operation.set(Object.defineProperty({}, 'status', { get: throws, enumerable: true })),
  );
  expect(recording.spans()).toHaveLength(1);
});

test('names of attributes that come from data are not kept', () => {
  const names = attributeNames('billing', {});
  const kept = jest.spyOn(Map.prototype, 'set');
  const spelt = Array.from({ length: 1_000 }, (_, n) => names(`planOf${n}`));
  const { length } = kept.mock.calls;
  kept.mockRestore();
  expect(spelt[999]).toBe('billing.plan_of999');
  expect(length).toBeLessThanOrEqual(100);
});
