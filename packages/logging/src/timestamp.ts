let lastMinute = Number.NaN;
let lastMinuteText = '';
let lastMs = Number.NaN;
let lastText = '';

/** RFC 3339 in UTC with milliseconds. Lines come in bursts, so the text of the last millisecond, and of its minute, is kept. */
export function timestamp(unixMs: number): string {
  if (unixMs === lastMs) return lastText;
  const minute = Math.floor(unixMs / 60_000);
  if (minute !== lastMinute) {
    lastMinuteText = new Date(minute * 60_000).toISOString().slice(0, -7);
    lastMinute = minute;
  }
  const inMinute = Math.trunc(unixMs - minute * 60_000);
  const second = Math.floor(inMinute / 1_000);
  const ms = inMinute - second * 1_000;
  lastText = `${lastMinuteText}${second < 10 ? '0' : ''}${second}.${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
  lastMs = unixMs;
  return lastText;
}
