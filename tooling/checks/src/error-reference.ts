/** The page of all error codes, made from the tables of `defineErrors` in the built packages. */
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { libraries } from './workspace.ts';

export interface ErrorRow {
  readonly code: string;
  readonly category: string;
  readonly status: number;
  readonly message: string;
}

export const errorReferenceFile = 'docs/reference/errors.md';

/** What the page should say now. */
export async function errorReference(root: string): Promise<string> {
  const sections: string[] = [];
  for (const { name, folder } of libraries(root)) {
    const rows: ErrorRow[] = [];
    for (const file of globSync('dist/**/{errors,options}.js', { cwd: join(root, folder) }).toSorted()) {
      rows.push(...rowsIn(await import(pathToFileURL(join(root, folder, file)).href)));
    }
    if (rows.length > 0) sections.push(`## ${name}\n\n${tableOf(rows)}`);
  }
  return `${head}\n${sections.join('\n\n')}\n`;
}

/** Every error that the exported tables of a module declare. */
export function rowsIn(module: object): readonly ErrorRow[] {
  const tables = Object.values(module).filter((value) => typeof value === 'object' && value !== null);
  return tables.flatMap((table: object) => Object.values(table).filter(isRow));
}

export function tableOf(rows: readonly ErrorRow[]): string {
  const lines = rows
    .toSorted((a, b) => a.code.localeCompare(b.code))
    .map(
      ({ code, category, status, message }) =>
        `| \`${code}\` | ${category} | ${status} | ${message.replaceAll('|', '\\|')} |`,
    );
  return ['| code | category | status | message |', '| --- | --- | --- | --- |', ...lines].join('\n');
}

const head = `# Errors

Every error has a code, a category (\`transient\`: trying again can help; \`permanent\`: it cannot; \`critical\`: somebody must look; \`cancelled\`: the caller no longer
wants the answer), the HTTP status that fits, and details for the words in braces. Recognise one with \`isSageError(error, code)\`.

This page is made from the packages: \`pnpm reference\` writes it.
`;

function isRow(value: unknown): value is ErrorRow {
  return (
    typeof value === 'function' && 'code' in value && 'category' in value && 'message' in value && 'status' in value
  );
}
