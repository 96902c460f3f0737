import { readFile } from 'node:fs/promises';
import { type Document, isScalar, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { errors } from '../errors.ts';
import { type Problem, problemsOf } from './problems.ts';
import { type AgentConfig, agentConfig } from './schema.ts';

/** The configuration in `file`, or the embedded defaults without one. Throws one error that names every problem by file, line and column. */
export async function loadConfig(file: string | undefined): Promise<AgentConfig> {
  if (file === undefined) return parseConfig('', 'defaults');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw errors.CONFIG_INVALID({ problems: `${file}: cannot be read (${reason})` }, { cause });
  }
  return parseConfig(text, file);
}

/**
 * The configuration that a YAML text holds, every default filled in.
 *
 * @param file the name that errors give the text.
 */
export function parseConfig(text: string, file: string): AgentConfig {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const placed = (offset: number, said: string): Problem => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col, text: said };
  };
  if (document.errors.length > 0) throw invalid(file, firstOfEachLine(document.errors, placed));
  const unusable = unusableIn(document);
  if (unusable.length > 0)
    throw invalid(
      file,
      unusable.map(({ offset, said }) => placed(offset, said)),
    );
  const parsed = agentConfig.safeParse(valueOf(document, file));
  if (parsed.success) return parsed.data;
  throw invalid(file, problemsOf(parsed.error, agentConfig, document, lines));
}

const wordsOf: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  TAB_AS_INDENT: 'a tab in the indentation; wanted spaces',
  DUPLICATE_KEY: 'this key stands twice in its block; leave one out',
  MULTIPLE_DOCS: 'a second document begins here; wanted one, so leave out ---',
  BLOCK_AS_IMPLICIT_KEY:
    'keys below this value are indented deeper than its own key; wanted them in one column, or the value on a line of its own',
};

/** What is no YAML is told once: what comes of it on the same line helps nobody. */
function firstOfEachLine(
  found: readonly YAMLError[],
  placed: (offset: number, said: string) => Problem,
): readonly Problem[] {
  const problems = found.map(({ pos, code, message }) => placed(pos[0], wordsOf[code] ?? message));
  return problems.filter(({ line }, index) => problems.findIndex((other) => other.line === line) === index);
}

/** Aliases of aliases may stand for more than any configuration is. */
function valueOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    throw errors.CONFIG_INVALID({ problems: `${file}:1:1: its aliases stand for too much; wanted fewer` }, { cause });
  }
}

/** What YAML can say and no object can hold. */
function unusableIn(document: Document.Parsed): readonly { readonly offset: number; readonly said: string }[] {
  const found: { offset: number; said: string }[] = [];
  visit(document, {
    Alias(_, alias) {
      if (alias.resolve(document) !== undefined) return;
      const said = `*${alias.source} stands for nothing; wanted an anchor &${alias.source} before it`;
      found.push({ offset: alias.range?.[0] ?? 0, said });
    },
    Pair(_, { key }) {
      if (isScalar(key) && key.value === '__proto__')
        found.push({ offset: key.range?.[0] ?? 0, said: '__proto__ is the name of nothing here; wanted another' });
    },
  });
  return found;
}

function invalid(file: string, problems: readonly Problem[]) {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return errors.CONFIG_INVALID({
    problems: sorted.map(({ line, column, text }) => `${file}:${line}:${column}: ${text}`).join('\n'),
  });
}
