import type { DeadLetter } from '../letter.ts';
import { redrive } from '../redrive.ts';
import { exportDeadLetters, reportDeadLetters, reportToMarkdown } from '../report.ts';
import type { DeadLetterStore } from '../store.ts';
import { type CommandLine, parseCommandLine, usage } from './command-line.ts';
import { openStore } from './open-store.ts';
import { postTo } from './post.ts';

export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: (text: string) => void;
  readonly fail: (text: string) => void;
}

/** Does what the arguments say and returns the exit code: 0, 1 where it failed, 2 where the arguments make no sense. */
export async function run(args: readonly string[], { environment, out, fail }: Surroundings): Promise<number> {
  let exitCode = 2;
  try {
    const line = parseCommandLine(args);
    if (line.command === 'help') {
      out(usage);
      return 0;
    }
    const command = Object.hasOwn(commands, line.command) ? commands[line.command] : undefined;
    if (command === undefined) throw new Error(`There is no command "${line.command}".\n\n${usage}`);
    if (line.command === 'redrive' && line.to === undefined) throw new Error('redrive needs --to URL.');
    exitCode = 1;
    const opened = await openStore(line, environment);
    try {
      return await command(opened.store, line, out);
    } finally {
      await opened.close();
    }
  } catch (error) {
    fail(`sage-dlq: ${error instanceof Error ? error.message : String(error)}\n`);
    return exitCode;
  }
}

type Command = (store: DeadLetterStore, line: CommandLine, out: (text: string) => void) => Promise<number>;

const commands: Readonly<Record<string, Command>> = {
  async ls(store, { filter, limit = 100, json }, out) {
    let listed = 0;
    for await (const letter of store.query(filter)) {
      out(json ? jsonLine(letter) : row(letter));
      if (++listed >= limit) break;
    }
    return 0;
  },

  async show(store, { filter, json }, out) {
    let shown = 0;
    for await (const letter of store.query(filter)) {
      out(json ? jsonLine(letter) : `${JSON.stringify(letter, undefined, 2)}\n`);
      shown++;
    }
    return shown > 0 ? 0 : 1;
  },

  async stats(store, { json }, out) {
    const stats = await store.stats();
    const rows = Object.entries(stats).map(([name, count]) => `${name}: ${count}\n`);
    out(json ? jsonLine(stats) : rows.join(''));
    return 0;
  },

  async report(store, { filter, json }, out) {
    const report = await reportDeadLetters(store, filter);
    out(json ? jsonLine(report) : reportToMarkdown(report));
    return 0;
  },

  async export(store, { filter }, out) {
    for await (const line of exportDeadLetters(store, filter)) out(line);
    return 0;
  },

  async redrive(store, { filter, to = '', limit, rate, json }, out) {
    const bounds = { ...(limit !== undefined && { limit }), ...(rate !== undefined && { ratePerSecond: rate }) };
    const result = await redrive(store, postTo(to), { filter, ...bounds });
    const { stopped, succeeded, failed, lost } = result;
    out(json ? jsonLine(result) : `${succeeded} succeeded, ${failed} failed, ${lost} lost; ended: ${stopped}\n`);
    return failed + lost === 0 ? 0 : 1;
  },

  async release(store, { ids }, out) {
    const released = await Promise.all(ids.map((id) => store.release(id)));
    out(`${released.filter(Boolean).length} released\n`);
    return released.length > 0 && released.every(Boolean) ? 0 : 1;
  },

  async purge(store, { filter, yes, json }, out) {
    const purged = await store.purge(filter, { dryRun: !yes });
    const what = yes ? 'removed' : 'would be removed; say --yes to do it';
    out(json ? jsonLine({ purged, dryRun: !yes }) : `${purged} ${what}\n`);
    return 0;
  },
};

function jsonLine(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}

function row({ id, state, failures, source, failedAtMs, error }: DeadLetter): string {
  const what = `${error.category}.${error.reason} ${error.name}: ${error.message}`.slice(0, 160);
  return `${[id, state, failures, new Date(failedAtMs).toISOString(), source, what].map(printable).join('  ')}\n`;
}

/** On one line, and without what a terminal would obey. */
function printable(part: string | number): string {
  return String(part).replaceAll(/\p{Cc}+/gu, ' ');
}
