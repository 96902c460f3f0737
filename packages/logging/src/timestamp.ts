let lastSecond = Number.NaN;
let lastSecondText = '';
let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339 in UTC with milliseconds. Lines come in bursts, so the text of the last millisecond, and of its second, is kept. */
export function timestamp(unixMs: number): string {
  if (unixMs === lastMs) return lastText;
  const second = Math.floor(unixMs / 1_000);
  if (second !== lastSecond) {
    lastSecondText = new Date(second * 1_000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  const ms = Math.trunc(unixMs - second * 1_000);
  lastText = `${lastSecondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
  lastMs = unixMs;
  return lastText;
}
