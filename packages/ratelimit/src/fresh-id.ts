import { randomBytes } from 'node:crypto';

/** Of base64url: a little more than 128 bits. */
const idLength = 22;
/** Asking for random bytes takes far longer than using them, so they are asked for for so many ids at once. */
const idsAtOnce = 128;
const bitsOfCharacter = 6;

let drawn = '';
let at = 0;

/** Names a reservation as nobody names another: 22 random characters of base64url. */
export function freshId(): string {
  if (at === drawn.length) {
    drawn = randomBytes((idsAtOnce * idLength * bitsOfCharacter) / 8).toString('base64url');
    at = 0;
  }
  return drawn.slice(at, (at += idLength));
}
