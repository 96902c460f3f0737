const endings = Array.from({ length: 1_000 }, (_, ms) => `${String(ms).padStart(3, '0')}Z`);

let lastSecond = Number.NaN;
let lastSecondText = '';

/** RFC 3339 in UTC with milliseconds. Lines come in bursts, so the text of the last second is kept. */
export function timestamp(unixMs: number): string {
  const second = Math.floor(unixMs / 1_000);
  if (second !== lastSecond) {
    lastSecondText = new Date(second * 1_000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  // Joined anew each time: to keep a text that was just made costs more than to make it.
  return lastSecondText + (endings[Math.trunc(unixMs - second * 1_000)] ?? '');
}
