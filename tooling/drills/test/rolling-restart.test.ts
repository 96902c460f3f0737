import { expect, test } from '@jest/globals';
import { type UnpackedPackages, unpackDebianPackages } from '@tooling/services';
import { rollingRestart } from '../src/rolling-restart.ts';

const haproxy = await unpackDebianPackages(['haproxy']).catch(skipOrThrow);

function skipOrThrow(error: unknown): undefined {
  const { SAGE_REQUIRE_SERVICES: required, CI: ci } = process.env;
  if (required === '1' || (required !== '0' && ci === 'true')) throw error;
  process.stderr.write(`The drills are skipped: ${String(error)}\n`);
}

const drill = (title: string, run: (unpacked: UnpackedPackages) => Promise<void>, timeoutMs: number): void => {
  if (haproxy === undefined) test.skip(title, () => {});
  else test(title, () => run(haproxy), timeoutMs);
};

drill(
  'OH2: a rolling restart behind HAProxy fails no request and breaks no stream',
  async (unpacked) => {
    const result = await rollingRestart({
      haproxy: unpacked,
      posts: 300,
      restarts: 2,
      clients: 4,
      pauseMs: 20,
      drainDelaySeconds: 0.5,
    });
    expect(result).toMatchObject({
      failures: [],
      brokenStreams: [],
      exitCodes: [0, 0],
      restarts: 2,
      streamsThatHeld: 2,
    });
    expect(result.posts).toBeGreaterThanOrEqual(300);
  },
  180_000,
);
