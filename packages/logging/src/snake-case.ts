const known = new Map<string, string>();
const rememberedNames = 1_000;

/** `inputTokens` as `input_tokens`, the spelling of all fields of a line. */
export function snakeCase(name: string): string {
  let spelt = known.get(name);
  if (spelt === undefined) {
    spelt = name.replace(/[A-Z]+/g, (capitals, at: number) => `${at === 0 ? '' : '_'}${capitals.toLowerCase()}`);
    if (known.size < rememberedNames) known.set(name, spelt);
  }
  return spelt;
}
