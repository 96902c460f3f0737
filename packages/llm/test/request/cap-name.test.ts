import { describe, expect, test } from '@jest/globals';
import { recordOperations } from '@sage-adk/core/testing';
import { wrapFetch } from '../../src/wrap-fetch.ts';
import { createPurse, unitPrice } from '../support/policies.ts';

interface Host {
  readonly takes: string;
  /** What it says of another name. */
  readonly refusal: (name: string) => string;
  readonly status: number;
}

const hosts: readonly (readonly [name: string, host: Host, url: string, model: string | undefined])[] = [
  [
    'a deployment of Azure',
    {
      takes: 'max_completion_tokens',
      status: 400,
      refusal: (name) =>
        `Unsupported parameter: '${name}' is not supported with this model. Use 'max_completion_tokens' instead.`,
    },
    'https://own.openai.azure.com/openai/deployments/reasoner/chat/completions?api-version=2025-04-01-preview',
    undefined,
  ],
  [
    'a host with a model that is called like one of OpenAI',
    { takes: 'max_tokens', status: 422, refusal: (name) => `body.${name}: Extra inputs are not permitted` },
    'https://other.test/v1/chat/completions',
    'gpt-oss-120b',
  ],
];

const names = ['max_tokens', 'max_completion_tokens'];

function serve({ takes, refusal, status }: Host, bodies: string[]): typeof fetch {
  return async (_input, init) => {
    const body = JSON.parse(init?.body as string) as Record<string, unknown>;
    const name = names.find((one) => one in body) ?? '';
    bodies.push(name);
    if (name === '' || name === takes) return Response.json({ usage: { prompt_tokens: 1, completion_tokens: 2 } });
    return Response.json({ error: { message: refusal(name) } }, { status });
  };
}

describe.each(hosts)('%s that refuses the name of a limit', (_name, host, url, model) => {
  const body = JSON.stringify({ model, messages: [] });

  test('is told the other one, then and from then on, in one call', async () => {
    using recorder = recordOperations();
    const sent: string[] = [];
    const purse = createPurse(1_000_000_000n);
    const wrapped = wrapFetch(serve(host, sent), { limiter: purse, price: unitPrice });
    for (let n = 0; n < 2; n++) {
      const answer = await wrapped(url, { method: 'POST', body });
      expect([answer.status, await answer.json()]).toMatchObject([200, { usage: {} }]);
    }
    const other = names.find((name) => name !== host.takes);
    expect(sent).toEqual([other, host.takes, host.takes]);
    expect(recorder.named('llm.call').map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
    expect(purse.reserved.map(({ ends }) => ends)).toEqual([1, 1]);
  });
});

test.each([
  ['of the number', 'max_tokens: 16384 is larger than the context'],
  ['of something else', 'Unsupported parameter: tools'],
])('a refusal %s is what the client gets', async (_what, message) => {
  const sent: unknown[] = [];
  const refuse: typeof fetch = async (_input, init) => {
    sent.push(init?.body);
    return Response.json({ error: { message } }, { status: 400 });
  };
  const wrapped = wrapFetch(refuse, { limiter: createPurse(1_000_000_000n), price: unitPrice });
  const answer = await wrapped('https://any.test/v1/chat/completions', {
    method: 'POST',
    body: '{"model":"m","messages":[]}',
  });
  expect([answer.status, await answer.json(), sent.length]).toEqual([400, { error: { message } }, 1]);
});

test('a limit that the client named is its own affair', async () => {
  const host: Host = {
    takes: 'max_completion_tokens',
    status: 400,
    refusal: (name) => `Unsupported parameter: ${name}`,
  };
  const sent: string[] = [];
  const wrapped = wrapFetch(serve(host, sent), { limiter: createPurse(1_000_000_000n), price: unitPrice });
  const body = '{"model":"m","messages":[],"max_tokens":5}';
  expect((await wrapped('https://third.test/v1/chat/completions', { method: 'POST', body })).status).toBe(400);
  expect(sent).toEqual(['max_tokens']);
});
