import { parseArgs } from 'node:util';
import { isSageError } from '@sage-adk/core';
import { endOnSignals } from '@sage-adk/health/drain';
import { startAgent } from './agent.ts';
import { banner } from './banner.ts';
import { loadConfig } from './config/load.ts';

const usage = `Usage: reference-agent [--config FILE]

  --config FILE  read the configuration from a YAML file; without it, embedded defaults
  --help         print this
`;

/** Starts the agent as a process: it runs until SIGTERM or SIGINT. */
export async function runAgent(args: readonly string[]): Promise<void> {
  try {
    const { config: file, help } = optionsOf(args);
    if (help) {
      process.stdout.write(usage);
      return;
    }
    const config = await loadConfig(file);
    const starting = startAgent({ config, onListening: (urls) => process.stdout.write(banner(urls, config)) });
    // The first signal ends the agent cleanly, with exit code 0; a second one at once.
    endOnSignals(async () => (await starting).close(), { onError: fail });
    await starting;
  } catch (error) {
    fail(error);
  }
}

function optionsOf(args: readonly string[]): { readonly config?: string | undefined; readonly help: boolean } {
  const { values } = parseArgs({
    args: [...args],
    options: { config: { type: 'string' }, help: { type: 'boolean', default: false } },
  });
  return values;
}

function fail(error: unknown): void {
  process.stderr.write(`${oneLine(error)}\n`);
  process.exit(1);
}

/** Errors that the user can mend say what to do; of any other the stack is needed. */
function oneLine(error: unknown): string {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  if (isUsage) return `${error.message}. See --help.`;
  if (isSageError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
