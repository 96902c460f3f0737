/** What is in a store, failures of one kind together. */
import type { DeadLetter, DeadLetterFilter, DeadLetterState } from './letter.ts';
import type { DeadLetterStore } from './store.ts';

export interface DeadLetterReport {
  readonly queue: string;
  readonly letters: number;
  /** The most frequent first. */
  readonly groups: readonly DeadLetterGroup[];
}

export interface DeadLetterGroup {
  readonly fingerprint: string;
  readonly category: string;
  readonly reason: string;
  readonly name: string;
  /** Of the latest failure. */
  readonly message: string;
  readonly letters: number;
  readonly failures: number;
  readonly redrives: number;
  readonly states: Readonly<Record<DeadLetterState, number>>;
  readonly sources: readonly string[];
  readonly firstFailedAtMs: number;
  readonly lastFailedAtMs: number;
  /** Ids of up to three. */
  readonly samples: readonly string[];
}

/** Groups the letters that fit by fingerprint. JSON as it stands; see {@link reportToMarkdown} for people. */
export async function reportDeadLetters(
  store: DeadLetterStore,
  filter: DeadLetterFilter = {},
): Promise<DeadLetterReport> {
  const groups = new Map<string, DeadLetterGroup>();
  let letters = 0;
  for await (const letter of store.query(filter)) {
    letters++;
    groups.set(letter.fingerprint, added(groups.get(letter.fingerprint), letter));
  }
  const sorted = [...groups.values()].sort((a, b) => b.letters - a.letters || b.lastFailedAtMs - a.lastFailedAtMs);
  return { queue: store.queue, letters, groups: sorted };
}

/** The report as a Markdown table. */
export function reportToMarkdown({ queue, letters, groups }: DeadLetterReport): string {
  const lines = [
    `# Dead letters of ${cell(queue)}`,
    '',
    `${letters} letters, ${groups.length} kinds of failure.`,
    '',
    '| Letters | Parked | Failures | Error | Reason | Sources | First | Last | Fingerprint | Samples |',
    '| ---: | ---: | ---: | --- | --- | --- | --- | --- | --- | --- |',
    ...groups.map((group) => {
      const error = cell(`${group.name}: ${group.message.slice(0, 120)}`);
      const times = [group.firstFailedAtMs, group.lastFailedAtMs].map((ms) => new Date(ms).toISOString()).join(' | ');
      const counts = `${group.letters} | ${group.states.parked} | ${group.failures}`;
      const what = `${error} | ${cell(`${group.category}.${group.reason}`)} | ${cell(group.sources.join(', '))}`;
      return `| ${counts} | ${what} | ${times} | ${group.fingerprint} | ${group.samples.join(' ')} |`;
    }),
  ];
  return `${lines.join('\n')}\n`;
}

/** Each letter that fits as a line of JSON, for other tools (NDJSON). */
export async function* exportDeadLetters(store: DeadLetterStore, filter: DeadLetterFilter = {}): AsyncIterable<string> {
  for await (const letter of store.query(filter)) yield `${JSON.stringify(letter)}\n`;
}

const mostSamples = 3;
const mostSources = 20;

function added(group: DeadLetterGroup | undefined, letter: DeadLetter): DeadLetterGroup {
  const { id, fingerprint, error, state, source, failures, redrives, firstFailedAtMs, failedAtMs } = letter;
  const { samples = [], sources = [], states = { dead: 0, claimed: 0, parked: 0 } } = group ?? {};
  const isLatest = failedAtMs >= (group?.lastFailedAtMs ?? 0);
  return {
    fingerprint,
    category: error.category,
    reason: error.reason,
    name: error.name,
    message: isLatest ? error.message : (group?.message ?? ''),
    letters: (group?.letters ?? 0) + 1,
    failures: (group?.failures ?? 0) + failures,
    redrives: (group?.redrives ?? 0) + redrives,
    states: { ...states, [state]: states[state] + 1 },
    sources: sources.includes(source) || sources.length >= mostSources ? sources : [...sources, source],
    firstFailedAtMs: Math.min(group?.firstFailedAtMs ?? Number.POSITIVE_INFINITY, firstFailedAtMs),
    lastFailedAtMs: Math.max(group?.lastFailedAtMs ?? 0, failedAtMs),
    samples: samples.length < mostSamples ? [...samples, id] : samples,
  };
}

/** Text that stays in its cell, without what a terminal would obey. */
function cell(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, ' ').replaceAll(/[\\|<>`*_[\]]/g, (character) => `\\${character}`);
}
