/** The little of Markdown the checks need: fences, headings as the forge names their anchors, links. No dependencies, Node 20. */

/**
 * Fenced blocks; `line` is the 1-based line of the first line of code.
 * @param {string} text
 */
export function fences(text) {
  /** @type {{ info: string, code: string, line: number }[]} */
  const found = [];
  /** @type {{ mark: string, indent: number, info: string, lines: string[], line: number } | undefined} */
  let open;
  for (const [index, line] of text.split('\n').entries()) {
    const {
      indent = '',
      mark,
      info = '',
    } = /^(?<indent> *)(?<mark>`{3,}|~{3,})\s*(?<info>.*)$/.exec(line)?.groups ?? {};
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

/**
 * Names a link may point at after `#`: headings as the forge spells them, repeated ones numbered, and explicit ids.
 * @param {string} text
 */
export function anchors(text) {
  const seen = new Map();
  /** @type {Set<string>} */
  const found = new Set();
  for (const line of withoutFences(text)) {
    const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const slug = slugOf(heading);
    const times = seen.get(slug) ?? 0;
    seen.set(slug, times + 1);
    found.add(times === 0 ? slug : `${slug}-${times}`);
  }
  for (const [, id] of withoutFences(text)
    .join('\n')
    .matchAll(/<[a-z]+[^>]*\s(?:id|name)="([^"]+)"/g)) {
    found.add(String(id));
  }
  return found;
}

/**
 * Link and image targets: inline, reference definitions, and href or src of inline HTML.
 * @param {string} text
 */
export function links(text) {
  const forms = [
    /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)/g,
    /^ {0,3}\[[^\]^][^\]]*\]:\s*<?([^\s>]+)>?/g,
    /\s(?:href|src)="([^"]+)"/g,
  ];
  return withoutFences(text).flatMap((line, index) => {
    const prose = line.replaceAll(/(`+)[^`]+?\1/g, (code) => ' '.repeat(code.length));
    return forms.flatMap((form) =>
      [...prose.matchAll(form)].map(([, target]) => ({ target: String(target), line: index + 1 })),
    );
  });
}

/**
 * The lines of the text, those of fences blank, so that nothing in code is taken for a heading or a link.
 * @param {string} text
 */
function withoutFences(text) {
  /** @type {string | undefined} */
  let mark;
  return text.split('\n').map((line) => {
    const fence = /^ *(`{3,}|~{3,})/.exec(line)?.[1];
    if (mark === undefined && fence === undefined) return line;
    if (mark === undefined) mark = fence;
    else if (fence?.startsWith(mark)) mark = undefined;
    return '';
  });
}

/** @param {string} heading */
function slugOf(heading) {
  return heading
    .replaceAll(/!?\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, '')
    .replaceAll(' ', '-');
}
