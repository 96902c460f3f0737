import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { describeWithService, serviceUrl } from '../src/index.js';
import { formatSkipped } from '../src/service-url.js';

const names = ['REDIS_URL', 'POSTGRES_URL', 'SAGE_SERVICES_SKIPPED', 'SAGE_REQUIRE_SERVICES', 'CI'];
const before = names.map((name) => [name, process.env[name]] as const);

function setEnvironment(values: Record<string, string>): void {
  for (const name of names) delete process.env[name];
  Object.assign(process.env, values);
}

function restoreEnvironment(): void {
  setEnvironment({});
  for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
}

describe('the URL of a service', () => {
  beforeEach(() => setEnvironment({}));
  afterEach(() => {
    restoreEnvironment();
    jest.restoreAllMocks();
  });

  test('is what the variable says', () => {
    setEnvironment({ REDIS_URL: 'redis://127.0.0.1:1', CI: 'true' });
    expect(serviceUrl('redis')).toBe('redis://127.0.0.1:1');
  });

  test('is undefined, and the reason is printed once, when the service was skipped', () => {
    const print = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    setEnvironment({ SAGE_SERVICES_SKIPPED: 'postgres: a\nredis: no redis-server; no docker' });
    expect(serviceUrl('redis')).toBeUndefined();
    expect(serviceUrl('redis')).toBeUndefined();
    expect(print.mock.calls).toEqual([['redis skipped: no redis-server; no docker\n']]);
  });

  test('throws the reason when services are required', () => {
    const both = formatSkipped(
      new Map([
        ['redis', 'no redis-server'],
        ['postgres', 'none'],
      ] as const),
    );
    setEnvironment({ SAGE_SERVICES_SKIPPED: both, SAGE_REQUIRE_SERVICES: '1' });
    expect(() => serviceUrl('redis')).toThrow('redis skipped: no redis-server');
    setEnvironment({ CI: 'true' });
    expect(() => serviceUrl('postgres')).toThrow('POSTGRES_URL is not set; run the tests under with-services');
  });

  test('is not required in CI when SAGE_REQUIRE_SERVICES says 0', () => {
    jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    setEnvironment({ CI: 'true', SAGE_REQUIRE_SERVICES: '0' });
    expect(serviceUrl('redis')).toBeUndefined();
  });
});

const seen: string[] = [];
setEnvironment({ REDIS_URL: 'redis://127.0.0.1:1', SAGE_SERVICES_SKIPPED: 'postgres: as this test wants' });
describeWithService('redis', 'a suite whose service is there', (url) => {
  test('runs with its URL', () => expect(url).toBe('redis://127.0.0.1:1'));
});
describeWithService('postgres', 'a suite whose service is missing', () => {
  test('never runs', () => {
    seen.push('ran');
  });
});
restoreEnvironment();

test('the tests of a missing service did not run', () => expect(seen).toEqual([]));
