/** The little of Markdown the checks need: fences, headings as the forge names their anchors, links. No dependencies. */

/** Fenced blocks as `{ info, code, line }`; `line` is the 1-based line of the first line of code. */
export function fences(text) {
  const found = [];
  let open;
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent, mark, info] = /^( *)(`{3,}|~{3,})\s*(.*)$/.exec(line) ?? [];
    if (open === undefined && mark !== undefined) {
      open = { mark, indent: indent.length, info: info.trim(), lines: [], line: index + 2 };
    } else if (open !== undefined && mark?.startsWith(open.mark) && info === '') {
      found.push({ info: open.info, code: open.lines.join('\n'), line: open.line });
      open = undefined;
    } else {
      open?.lines.push(line.replace(new RegExp(`^ {0,${open.indent}}`), ''));
    }
  }
  return found;
}

/** The text with fences and inline code blanked, so that nothing in code is taken for a heading or a link. Lines stay where they are. */
export function withoutCode(text) {
  let mark;
  const lines = text.split('\n').map((line) => {
    const fence = /^ *(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark === undefined && fence === undefined) return line;
    if (mark === undefined) mark = fence;
    else if (fence?.startsWith(mark)) mark = undefined;
    return '';
  });
  return lines.join('\n').replaceAll(/(`+)[^`\n]+?\1/g, (code) => ' '.repeat(code.length));
}

/** Names a link may point at after `#`: headings as the forge spells them, repeated ones numbered, and explicit ids. */
export function anchors(text) {
  const seen = new Map();
  const found = new Set();
  const kept = withoutCode(text).split('\n');
  for (const [index, line] of text.split('\n').entries()) {
    const heading = kept[index] === '' ? undefined : /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  for (const [, id] of withoutCode(text).matchAll(/<[a-z]+[^>]*\s(?:id|name)="([^"]+)"/g)) found.add(id);
  return found;
}

/** Link and image targets as `{ target, line }`: inline, reference definitions, and href or src of inline HTML. */
export function links(text) {
  const forms = [
    /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g,
    /^ {0,3}\[[^\]^][^\]]*\]:\s*<?([^\s>]+)>?/g,
    /\s(?:href|src)="([^"]+)"/g,
  ];
  return withoutCode(text)
    .split('\n')
    .flatMap((line, index) =>
      forms.flatMap((form) => [...line.matchAll(form)].map(([, target]) => ({ target, line: index + 1 }))),
    );
}

function slugOf(heading) {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}
