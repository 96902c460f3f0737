import { expect, test } from '@jest/globals';
import { run } from '@sage-adk/core';
import { errors } from '../../src/errors.ts';
import { createIdentify } from '../../src/http/identify.ts';
import { listen } from '../../src/http/listen.ts';
import { createPipeline } from '../../src/http/pipeline.ts';
import { errorBody } from '../../src/http/respond.ts';
import type { Surface } from '../../src/http/surface.ts';
import { get } from '../support/http.ts';

const inside = 'relation "users" does not exist at 10.0.0.7';

test('an error that nobody expected says no more to a client than that, and the id to ask for', async () => {
  const broken: Surface = {
    protocol: 'http',
    name: 'broken',
    endsWithClient: true,
    read: () => Promise.reject(new Error(inside)),
  };
  const server = await listen({ host: '127.0.0.1', port: 0, block: 'server' });
  const surfaces = { byPath: { '/': broken }, below: {} };
  const admit = async () => true;
  const options = { surfaces, identify: createIdentify([]), admit, agentId: 'a', timeoutMs: 10_000 };
  server.serve(createPipeline(options).listener);
  const answer = await get(server.url, { 'x-request-id': 'request-7' });
  await server.close(1_000);
  expect(answer.status).toBe(500);
  expect(answer.json()).toEqual({ error: 'internal_error', message: expect.stringContaining('request-7') });
  expect(answer.text).not.toContain('relation');
});

test('neither does it where an answer has begun', () => {
  const body = run({ requestId: 'request-7' }, () => errorBody(new Error(inside)));
  expect(body).toEqual({ error: 'internal_error', message: expect.stringContaining('request-7') });
  expect(JSON.stringify(body)).not.toContain('relation');
});

test('an error of ours says itself what it is', () => {
  const { message } = errors.STOPPING();
  expect(errorBody(errors.STOPPING())).toEqual({ error: 'stopping', message });
});
