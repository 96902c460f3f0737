let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339 in UTC with milliseconds. Lines come in bursts, so the text of the last millisecond is kept. */
export function timestamp(unixMs: number): string {
  if (unixMs !== lastMs) {
    lastText = new Date(unixMs).toISOString();
    lastMs = unixMs;
  }
  return lastText;
}
