/** What can be written as YAML here: Prometheus reads no more. */
export type YamlValue = string | number | readonly YamlValue[] | { readonly [key: string]: YamlValue | undefined };

/** Block style, every text quoted as JSON quotes it, which YAML reads the same. Keys are plain names; members that are undefined are left out. */
export function yamlOf(value: YamlValue): string {
  return `${linesOf(value).join('\n')}\n`;
}

function linesOf(value: YamlValue): readonly string[] {
  if (typeof value === 'string') return [JSON.stringify(value)];
  if (typeof value === 'number') return [String(value)];
  if (isList(value)) {
    if (value.length === 0) return ['[]'];
    return value.flatMap((item) => linesOf(item).map((line, i) => (i === 0 ? `- ${line}` : `  ${line}`)));
  }
  return Object.entries(value).flatMap(([key, member]) => {
    if (member === undefined) return [];
    const [first = '', ...rest] = linesOf(member);
    const nested = typeof member === 'object' && first !== '[]';
    return nested ? [`${key}:`, ...[first, ...rest].map((line) => `  ${line}`)] : [`${key}: ${first}`];
  });
}

function isList(value: YamlValue): value is readonly YamlValue[] {
  return Array.isArray(value);
}
