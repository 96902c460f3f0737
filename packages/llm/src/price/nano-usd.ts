/** Money without floating point: US dollars as they are written, in whole billionths. */
import { requireOption } from '@sage-adk/core';

/** US dollars: a decimal such as `'0.075'`, or a number that is written as one. */
export type UsdAmount = number | string;

/**
 * An amount in billionths of a US dollar, exact up to nine decimal places and rounded up beyond.
 *
 * A number counts as the decimal that it is written as, so 0.1 is a tenth. Throws `SAGE_CORE_INVALID_OPTION` for what is negative or no decimal.
 */
export function toNanoUsd(name: string, amount: UsdAmount): bigint {
  const parts = /^(\d+)(?:\.(\d+))?(?:e([+-]?\d{1,2}))?$/i.exec(String(amount).trim());
  requireOption(name, amount, 'a decimal from 0, such as 0.075', () => parts !== null);
  const [, whole = '', fraction = '', exponent = '0'] = parts ?? [];
  const places = 9 + Number(exponent) - fraction.length;
  const digits = BigInt(whole + fraction);
  if (places >= 0) return digits * 10n ** BigInt(places);
  return roundedUp(digits, 10n ** BigInt(-places));
}

export function roundedUp(amount: bigint, by: bigint): bigint {
  return (amount + by - 1n) / by;
}

/** A whole number of at most 2^53 - 1, below 0 too. Read from memory, since `BigInt` is a call of the engine's runtime. */
export function toBigInt(whole: number): bigint {
  word.setUint32(0, whole, true);
  word.setUint32(4, Math.floor(whole / 2 ** 32), true);
  return word.getBigInt64(0, true);
}

const word = new DataView(new ArrayBuffer(8));
