/** Mistakes that people make in a configuration: each has one error, which says where it is, what stands there and what to write. */
import { expect, test } from '@jest/globals';
import { parseConfig } from '../../src/config/load.ts';

function problemsIn(yaml: string): readonly string[] {
  try {
    parseConfig(yaml, 'agent.yaml');
  } catch (error) {
    expect(error).toMatchObject({ code: 'SAGE_AGENT_CONFIG_INVALID' });
    return (error as Error).message.split('\n');
  }
  return [];
}

test.each([
  ['rate_limt: {}', '1:1', 'unknown key rate_limt; did you mean rate_limit?'],
  ['SERVER: {}', '1:1', 'unknown key SERVER; did you mean server?'],
  ['server.port: 80', '1:1', 'unknown key server.port; write port below server:'],
  [
    'server:\n  hostname: x',
    '2:3',
    'unknown key server.hostname; known here: host, port, public_url, api_keys, drain_seconds, drain_delay_seconds',
  ],
  [
    'rate_limit:\n  global:\n    requests_per_min: 5',
    '3:5',
    'unknown key rate_limit.global.requests_per_min; did you mean requests_per_minute?',
  ],
  [
    'server:\n  drain_seconds: 10s',
    '2:18',
    'server.drain_seconds: got "10s", wanted a number of seconds, without a unit',
  ],
  [
    'llm:\n  providers:\n    a: { kind: openai, total_timeout: 500ms }',
    '3:39',
    'llm.providers.a.total_timeout: got "500ms", wanted a number of seconds, without a unit',
  ],
  [
    'rate_limit:\n  global:\n    tokens_per_day: 100_000',
    '3:21',
    'rate_limit.global.tokens_per_day: got "100_000", wanted a number, without separators',
  ],
  [
    'llm:\n  provider: main\n  providers:\n    main: { kind: openai, api_key: any }',
    '2:3',
    'llm.model is missing: wanted the name of a model that "main" has',
  ],
  [
    `server:\n  api_keys:\n  - { id: ada, sha256: ${'ab'.repeat(32)} }\n  - { id: bob, sha256: ${'AB'.repeat(32)} }`,
    '4:24',
    'server.api_keys.1.sha256: got a text, wanted another key; this one is of "ada"',
  ],
  [
    'redis:\n  url: redis://h/notanumber',
    '2:8',
    'redis.url: got "redis://h/notanumber", wanted the number of a database after the host, such as redis://host:6379/0',
  ],
  [
    'redis:\n  url: redis://:sec%ret@h',
    '2:8',
    'redis.url: got "redis://...@h", wanted a user and a password with each % written as %25',
  ],
  [
    'postgres:\n  url: postgres://ada:100%@h/db',
    '2:8',
    'postgres.url: got "postgres://...@h/db", wanted a user and a password with each % written as %25',
  ],
  [
    'llm:\n  providers:\n    __proto__: { kind: openai }',
    '3:5',
    '__proto__ is the name of nothing here; wanted another',
  ],
  [
    'redis:\n  url: redis://h\n  timeout_ms: 50ms',
    '3:15',
    'redis.timeout_ms: got "50ms", wanted a number of milliseconds, without a unit',
  ],
  [
    'observability:\n  logging:\n    max_bytes: 100MB',
    '3:16',
    'observability.logging.max_bytes: got "100MB", wanted a number of bytes, without a unit',
  ],
  [
    'rate_limit:\n  global:\n    max_cost_per_hour: $5',
    '3:24',
    'rate_limit.global.max_cost_per_hour: got "$5", wanted a number of US dollars, without a unit',
  ],
  [
    'rate_limit:\n  global:\n    requests_per_minute: 10k',
    '3:26',
    'rate_limit.global.requests_per_minute: got "10k", wanted a number, without a unit',
  ],
  [
    'recovery:\n  circuit_breaker:\n    failure_ratio: 50%',
    '3:20',
    'recovery.circuit_breaker.failure_ratio: got "50%", wanted a number from 0 to 1, without a unit',
  ],
  [
    'recovery:\n  circuit_breaker:\n    failure_ratio: 50',
    '3:20',
    'recovery.circuit_breaker.failure_ratio: got 50, wanted at most 1',
  ],
  [
    'rate_limit:\n  global:\n    requests_per_minute: -5',
    '3:26',
    'rate_limit.global.requests_per_minute: got -5, wanted at least 1',
  ],
  [
    'rate_limit:\n  global:\n    max_cost_per_hour: 0',
    '3:24',
    'rate_limit.global.max_cost_per_hour: got 0, wanted at least 0.000001',
  ],
  ['llm:\n  price: { input: -3, output: 1 }', '2:19', 'llm.price.input: got -3, wanted at least 0'],
  [
    'recovery:\n  circuit_breaker:\n    reset_timeout: 0',
    '3:20',
    'recovery.circuit_breaker.reset_timeout: got 0, wanted more than 0',
  ],
  ['server:\n  drain_seconds: .inf', '2:18', 'server.drain_seconds: got Infinity, wanted a number that is finite'],
  ['server:\n  port: 80.5', '2:9', 'server.port: got 80.5, wanted a whole number'],
  ['server:\n  port: "80"', '2:9', 'server.port: got "80", wanted a number, without the quotes'],
  ['rate_limit:\n  enabled: yes', '2:12', 'rate_limit.enabled: got "yes", wanted true or false'],
  ['recovery:\n  dlq: on', '2:8', 'recovery.dlq: got "on", wanted a block of keys'],
  ['server:\n- port: 1', '2:1', 'server: got a list, wanted a block of keys'],
  ['server:\n  api_keys:\n    id: ada', '3:5', 'server.api_keys: got a block of keys, wanted a list'],
  ['server:', '1:8', 'server: got nothing, wanted a block of keys'],
  ['agent:\n  id: ""', '2:7', 'agent.id: got "", wanted a text that is not empty'],
  [
    'llm:\n  price: { input: 3 }',
    '2:10',
    'llm.price.output is missing: wanted a number of US dollars for a million tokens',
  ],
  [
    'observability:\n  logging:\n    output: file',
    '3:5',
    'observability.logging.file_path is missing: it is needed by the output "file"',
  ],
  [
    'rate_limit:\n  strategy: token-bucket',
    '2:13',
    'rate_limit.strategy: got "token-bucket", wanted token_bucket or fixed_window or sliding_window or leaky_bucket; did you mean token_bucket?',
  ],
  [
    'llm:\n  providers:\n    a: { kind: opanai }',
    '3:16',
    'llm.providers.a.kind: got "opanai", wanted openai or anthropic or google or openai_compatible; did you mean openai?',
  ],
  [
    'llm:\n  providers:\n    my model: { kind: openai }',
    '3:5',
    'llm.providers.my model: got the name "my model", wanted 1 to 30 letters, digits and . _ -',
  ],
  [
    'llm:\n  providers:\n    a: { kind: openai_compatible }',
    '3:8',
    'llm.providers.a.base_url is missing: wanted a URL such as http://host:8000/v1',
  ],
  [
    'llm:\n  providers:\n    local: { kind: openai }',
    '3:12',
    'llm.providers.local: wanted another name; local is the scripted model',
  ],
  [
    'recovery:\n  fallback:\n    llm_chain: [openai/gpt]',
    '3:17',
    'recovery.fallback.llm_chain.0: got "openai/gpt", wanted a block of keys',
  ],
  [
    'recovery:\n  fallback:\n    patterns: [{ pattern: "(", answer: x }]',
    '3:27',
    'recovery.fallback.patterns.0.pattern: got "(", wanted a regular expression',
  ],
  [
    'rate_limit:\n  llm_providers:\n    locl: { requests_per_minute: 5 }',
    '3:11',
    'rate_limit.llm_providers.locl: there is no such provider; did you mean local?',
  ],
  [
    'rate_limit:\n  strategy: fixed_window\n  global:\n    burst: 3',
    '4:12',
    'rate_limit.global.burst: got 3, has no meaning for fixed_window',
  ],
  [
    'server:\n  public_url: agent.example.com',
    '2:15',
    'server.public_url: got "agent.example.com", wanted a URL such as https://host:8080',
  ],
  [
    'observability:\n  metrics:\n    push_url: ftp://ada:secret@x',
    '3:15',
    'observability.metrics.push_url: got "ftp://...@x", wanted a URL such as https://host:8080',
  ],
  [
    'observability:\n  metrics:\n    path: metrics',
    '3:11',
    'observability.metrics.path: got "metrics", wanted a path that starts with a slash',
  ],
  [
    'observability:\n  health:\n    liveness_path: /health/ready',
    '3:5',
    'observability.health: the three paths must differ',
  ],
  ['server:\n  api_keys: [my-secret-key]', '2:14', 'server.api_keys.0: got a text, wanted a block of keys'],
  [
    'server:\n  api_keys: [{ id: a, sha256: my-secret-key }]',
    '2:31',
    'server.api_keys.0.sha256: got a text, wanted the 64 hex digits of a SHA-256',
  ],
  [
    'llm:\n  providers:\n    a: { kind: openai, api_key: 12345 }',
    '3:33',
    'llm.providers.a.api_key: got a number, wanted a text',
  ],
  ['server:\n\tport: 1', '2:1', 'a tab in the indentation; wanted spaces'],
  [
    'server:\n port: 1\n  host: x',
    '2:8',
    'keys below this value are indented deeper than its own key; wanted them in one column, or the value on a line of its own',
  ],
  ['server: {}\n---\nllm: {}', '2:1', 'a second document begins here; wanted one, so leave out ---'],
  ['server: {}\nserver: {}', '2:1', 'this key stands twice in its block; leave one out'],
  ['server: *defaults', '1:9', '*defaults stands for nothing; wanted an anchor &defaults before it'],
])('%j is told at %s', (yaml, place, problem) => {
  expect(problemsIn(`${yaml}\n`)).toEqual([`agent.yaml:${place}: ${problem}`]);
});

test('aliases that stand for more than any configuration are refused', () => {
  const levels = Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`);
  expect(problemsIn(['a0: &a0 [x]', ...levels].join('\n'))).toEqual([
    'agent.yaml:1:1: its aliases stand for too much; wanted fewer',
  ]);
});
