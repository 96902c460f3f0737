/** A table; whatever is in a cell, it stays one, and is no markup. */
export function markdownTable(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const lines = [heads, heads.map(() => '---'), ...rows.map((row) => row.map((cell) => markdownText(String(cell))))];
  return lines.map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

export function markdownText(text: string): string {
  return text
    .replaceAll(/[\r\n]+/g, ' ')
    .replaceAll(/[\\`*_{}[\]<>#|!~]/g, (mark) => (mark === '<' ? '&lt;' : `\\${mark}`))
    .replaceAll(/&(?!lt;)/g, '&amp;');
}
