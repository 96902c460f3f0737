import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument } from 'yaml';
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
  if (document.errors.length > 0) {
    const found = document.errors.map(({ pos, message }) => {
      const { line, col } = lines.linePos(pos[0]);
      return { line, column: col, text: message };
    });
    throw invalid(file, found);
  }
  const parsed = agentConfig.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(file, problemsOf(parsed.error, agentConfig, document, lines));
}

function invalid(file: string, problems: readonly Problem[]) {
  const sorted = problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
  return errors.CONFIG_INVALID({
    problems: sorted.map(({ line, column, text }) => `${file}:${line}:${column}: ${text}`).join('\n'),
  });
}
