/** Rules in fast motion: every duration of them shorter by a factor, so that a test sees in seconds what takes minutes. */
const units = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** Scales the ranges, offsets, intervals and holding times of rules; names of what is recorded stay. */
export function scaleDurations(rules: string, factor: number): string {
  const scaled = (text: string): string => {
    const unit = text.slice(-1) as keyof typeof units;
    return `${Math.max(1, Math.round(Number(text.slice(0, -1)) * units[unit] * factor))}s`;
  };
  return rules
    .replaceAll(/(\[|offset )(\d+[smhd])/g, (_, before: string, text: string) => `${before}${scaled(text)}`)
    .replaceAll(/^(\s*(?:- )?(?:for|interval): "?)(\d+[smhd])/gm, (whole, before: string, text: string) =>
      text === '0m' ? whole : `${before}${scaled(text)}`,
    );
}
