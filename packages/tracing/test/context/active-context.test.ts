import { afterEach, expect, jest, test } from '@jest/globals';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { context } from '@opentelemetry/api';
import { findActiveContext } from '../../src/context/active-context.ts';

const registry = globalThis as { [key: symbol]: unknown };
const registryKey = Symbol.for('opentelemetry.js.api.1');

afterEach(() => {
  context.disable();
  jest.restoreAllMocks();
});

test('a registered context manager is used', () => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  expect(findActiveContext()).toBe(context);
});

test('without one, tracing brings its own', () => {
  expect(findActiveContext()).not.toBe(context);
});

test('one that belongs to another version of the API is told, not silently missed', () => {
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const before = registry[registryKey];
  registry[registryKey] = { version: '1.0.0', context: {} };
  expect(findActiveContext()).not.toBe(context);
  registry[registryKey] = before;
  expect(warn).toHaveBeenCalledWith(expect.stringContaining('1.0.0'), { code: 'SAGE_TRACING_SECOND_API' });
});
