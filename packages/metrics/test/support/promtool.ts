import { join } from 'node:path';
import { unpackDebianPackages } from '@tooling/services';

export interface Promtool {
  readonly path: string;
  readonly env: Record<string, string>;
}

/** Prometheus's tool from Debian's package; or why there is none, which is an error where services are required. */
export async function findPromtool(): Promise<{ readonly promtool?: Promtool; readonly skipped?: string }> {
  try {
    const { root, env } = await unpackDebianPackages(['prometheus']);
    return { promtool: { path: join(root, 'usr/bin/promtool'), env: { ...env } } };
  } catch (error) {
    if (process.env['SAGE_REQUIRE_SERVICES'] === '1' || process.env['CI'] === 'true') throw error;
    return { skipped: error instanceof Error ? error.message : String(error) };
  }
}
