import { findTool, type Tool } from './debian-tool.ts';

/** Prometheus's tool from Debian's package; or why there is none, which is an error where services are required. */
export async function findPromtool(): Promise<{ readonly promtool?: Tool; readonly skipped?: string }> {
  const { tool, ...rest } = await findTool('prometheus', 'usr/bin/promtool');
  return { ...(tool !== undefined && { promtool: tool }), ...rest };
}
