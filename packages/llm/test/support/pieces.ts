/** Events as they come: each alone, or cut into pieces of these lengths, again and again. */
export function inPieces(events: readonly string[], lengths: readonly number[] | 'events'): readonly Buffer[] {
  if (lengths === 'events') return events.map((event) => Buffer.from(event));
  const bytes = Buffer.from(events.join(''));
  const pieces: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}
