/** A faulty provider, a recorder of operations, and a way to call the one and see the other. */
import { afterEach, beforeEach } from '@jest/globals';
import type { OperationRecord } from '@sage-adk/core';
import { type OperationRecorder, recordOperations } from '@sage-adk/core/testing';
import type { LlmPolicies } from '../../src/pipeline.ts';
import { createFaultyProvider, type FaultyProvider, type FaultyProviderOptions } from '../../src/testing/index.ts';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import type { WireCase } from './wires.ts';

export interface Sending {
  readonly by?: typeof fetch;
  /** @default true */
  readonly stream?: boolean;
  /** Members of the request. */
  readonly more?: Record<string, unknown> | undefined;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal | undefined;
}

export interface Rig {
  readonly provider: FaultyProvider;
  readonly recorder: OperationRecorder;
  readonly send: (wire: WireCase, policies?: LlmPolicies, sending?: Sending) => Promise<Response>;
  readonly calls: () => readonly OperationRecord<'llm.call'>[];
  readonly attempts: () => readonly OperationRecord<'retry.attempt'>[];
  /** Another provider in place of the one that is there. */
  replace(options: FaultyProviderOptions): Promise<void>;
}

/** A new one for each test. */
export function useRig(): Rig {
  let provider: FaultyProvider;
  let recorder: OperationRecorder;
  beforeEach(async () => {
    recorder = recordOperations();
    provider = await createFaultyProvider();
  });
  afterEach(async () => {
    recorder[Symbol.dispose]();
    await provider.close();
  });
  return {
    get provider() {
      return provider;
    },
    get recorder() {
      return recorder;
    },
    send: (wire, policies = {}, { by = fetch, stream = true, more, headers, signal } = {}) => {
      const { path, init } = stream ? wire.ask(more) : wire.askWhole(more);
      return wrapFetch(by, policies)(`${provider.url}${path}`, {
        ...init,
        headers: { ...init.headers, ...headers },
        ...(signal !== undefined && { signal }),
      });
    },
    calls: () => recorder.named('llm.call'),
    attempts: () => recorder.named('retry.attempt'),
    async replace(options) {
      await provider.close();
      provider = await createFaultyProvider(options);
    },
  };
}

/** Resolves after every callback that was pending, and those of the network that are near. */
export async function soon(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !isSo(); turn++) await new Promise((resolve) => setTimeout(resolve, 2));
}
