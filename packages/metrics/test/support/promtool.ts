import { areRequired, findPromtool as find, type Program } from '@tooling/services';

/** Prometheus's tool; or why there is none, which is an error where services are required. */
export async function findPromtool(): Promise<{ readonly promtool?: Program; readonly skipped?: string }> {
  const found = await find();
  if (!('skipped' in found)) return { promtool: found };
  if (areRequired()) throw new Error(found.skipped);
  return found;
}
