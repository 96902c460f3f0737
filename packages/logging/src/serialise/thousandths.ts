const fractions = Array.from({ length: 1_000 }, (_, n) =>
  n === 0 ? '' : `.${String(n).padStart(3, '0').replace(/0+$/, '')}`,
);

/** A number rounded to three digits behind the point, as text of JSON: whole numbers are spelt faster than others. */
export function thousandths(value: number): string {
  const all = Math.round(value * 1_000);
  if (!(all >= 0 && all <= 0x7fff_ffff)) return JSON.stringify(all / 1_000);
  return `${Math.floor(all / 1_000)}${fractions[all % 1_000] ?? ''}`;
}
