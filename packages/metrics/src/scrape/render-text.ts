import { type Collected, instrumentsOf } from '../collected.ts';
import { renderMetrics } from './render.ts';

/** All metrics in Prometheus's text format, as they are when it is called or later. */
export async function renderText(metrics: Collected): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of renderMetrics(await instrumentsOf(metrics))) pieces.push(piece);
  return Buffer.concat(pieces);
}
