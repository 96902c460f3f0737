import type { Random } from '../clock.ts';
import { requireWhole } from '../errors/options.ts';

/**
 * Chance that repeats: the same seed gives the same numbers, on every machine. Not for secrets.
 *
 * xoshiro128** with its state filled by splitmix32.
 *
 * @param seed a whole number from 0 to 2^32-1.
 * @see D. Blackman, S. Vigna, "Scrambled linear pseudorandom number generators", 2021
 */
export function createSeededRandom(seed: number): Random {
  let filler = requireWhole('seed', seed, 0, 0xffff_ffff);
  const fill = (): number => {
    filler = (filler + 0x9e37_79b9) | 0;
    const mixed = Math.imul(filler ^ (filler >>> 16), 0x21f0_aaad);
    const again = Math.imul(mixed ^ (mixed >>> 15), 0x735a_2d97);
    return again ^ (again >>> 15);
  };
  let a = fill();
  let b = fill();
  let c = fill();
  let d = fill();
  return () => {
    const scrambled = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9);
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotateLeft(d, 11);
    return (scrambled >>> 0) / 2 ** 32;
  };
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
