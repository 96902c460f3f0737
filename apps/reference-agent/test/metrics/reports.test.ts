import { expect, test } from '@jest/globals';
import { current, observe } from '@sage-adk/core';
import { errors } from '../../src/errors.ts';
import { listen } from '../../src/http/listen.ts';
import { answerReports } from '../../src/metrics/reports.ts';
import { get } from '../support/http.ts';

async function failing(error: unknown) {
  const server = await listen({ host: '127.0.0.1', port: 0, block: 'observability.metrics' });
  server.serve(answerReports({ usage: () => Promise.reject(error) }, (_, response) => void response.end()));
  const answer = await get(`${server.url}/usage`);
  await server.close(1_000);
  return answer;
}

test('what a store says of a report is in the log, and its answer says where', async () => {
  const told: (readonly [requestId: string | undefined, message: string | undefined])[] = [];
  using _watching = observe({
    name: 'test',
    events: { 'error.critical': ({ message }) => void told.push([current()?.requestId, message]) },
  });
  const { status, text } = await failing(new Error('relation "usage" does not exist at 10.0.0.7'));
  expect(status).toBe(500);
  expect(text).not.toContain('relation');
  expect(told).toEqual([[expect.any(String), 'Error: relation "usage" does not exist at 10.0.0.7']]);
  expect(text).toContain(told[0]?.[0] ?? 'an id');
});

test('what is wrong with a query is told to who asks', async () => {
  const { status, text } = await failing(errors.INVALID_QUERY({ problem: 'wanted another day' }));
  expect([status, text]).toEqual([400, '{"error":"wanted another day"}']);
});
