import { DefaultRequestHandler, InMemoryTaskStore } from '@a2a-js/sdk/server';
import { expect, test } from '@jest/globals';
import { createCard } from '../../src/a2a/card.ts';
import { createA2aProbe } from '../../src/a2a/probe.ts';

const card = createCard({ name: 'Weather', description: '', version: '1', url: 'http://127.0.0.1', needsKey: false });
const idle = { execute: async () => {}, cancelTask: async () => {} };

test('OH2: A2A that answers is well, and one whose tasks cannot be read is not', async () => {
  const tasks = new InMemoryTaskStore();
  const probe = createA2aProbe(new DefaultRequestHandler(card, tasks, idle));
  await probe();
  tasks.load = async () => Promise.reject(new Error('the disk is gone'));
  await expect(probe()).rejects.toMatchObject({ code: 'SAGE_AGENT_A2A_BROKEN', category: 'transient' });
});
