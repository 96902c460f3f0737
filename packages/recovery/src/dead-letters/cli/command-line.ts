import { parseArgs } from 'node:util';
import type { DeadLetterFilter, DeadLetterState } from '../letter.ts';

export const usage = `Usage: sage-dlq COMMAND [OPTIONS]

Commands
  ls                  letters, one per line
  show ID...          all that is known of letters
  stats               how many there are, by state
  report              failures of one kind together, as Markdown
  export              a line of JSON per letter
  redrive --to URL    posts each payload to URL; a letter leaves when the answer is 2xx
  release ID...       makes parked letters due
  purge --yes         removes letters; without --yes only counts them

Where
  --url URL           redis://, rediss://, postgres:// or postgresql://; else REDIS_URL or POSTGRES_URL
  --queue NAME        default: default
  --prefix NAME       of the keys in Redis
  --schema NAME       of the table in PostgreSQL

Which letters (all that are given must fit)
  --source, --state dead|claimed|parked, --fingerprint, --category, --reason, --text,
  --failed-from TIME, --failed-before TIME (ISO 8601)

Others
  --json              JSON in place of text
  --limit N           ls: most letters, default 100; redrive: most tries
  --rate N            redrive: tries per second, default 10
  --yes               purge: really do it
`;

export interface CommandLine {
  readonly command: string;
  readonly ids: readonly string[];
  readonly filter: DeadLetterFilter;
  readonly url: string | undefined;
  readonly queue: string;
  readonly prefix: string | undefined;
  readonly schema: string | undefined;
  readonly to: string | undefined;
  readonly limit: number | undefined;
  readonly rate: number | undefined;
  readonly json: boolean;
  readonly yes: boolean;
}

const text = { type: 'string' } as const;
const flag = { type: 'boolean', default: false } as const;

const options = {
  url: text,
  queue: { ...text, default: 'default' },
  prefix: text,
  schema: text,
  source: text,
  state: text,
  fingerprint: text,
  category: text,
  reason: text,
  text,
  'failed-from': text,
  'failed-before': text,
  to: text,
  limit: text,
  rate: text,
  json: flag,
  yes: flag,
  help: flag,
} as const;

/** What the arguments say. Throws an error whose message a person can read. */
export function parseCommandLine(args: readonly string[]): CommandLine {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options,
  });
  const [command = 'help', ...ids] = positionals;
  const { url, queue, prefix, schema, to, json, yes, source, fingerprint, category, reason } = values;
  const filter = {
    ids: ids.length > 0 ? ids : undefined,
    source,
    fingerprint,
    category,
    reason,
    text: values.text,
    state: stateOf(values.state),
    failedFromMs: timeOf('failed-from', values['failed-from']),
    failedBeforeMs: timeOf('failed-before', values['failed-before']),
  };
  const [limit, rate] = [numberOf('limit', values.limit), numberOf('rate', values.rate)];
  return {
    command: values.help ? 'help' : command,
    filter: withoutUndefined(filter),
    ids,
    url,
    queue,
    prefix,
    schema,
    to,
    limit,
    rate,
    json,
    yes,
  };
}

function stateOf(state: string | undefined): DeadLetterState | undefined {
  if (state === undefined || state === 'dead' || state === 'claimed' || state === 'parked') return state;
  throw new Error(`--state is "${state}"; it must be dead, claimed or parked.`);
}

function timeOf(option: string, time: string | undefined): number | undefined {
  if (time === undefined) return undefined;
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new Error(`--${option} is "${time}"; it must be a time such as 2026-01-31T12:00:00Z.`);
  return ms;
}

function numberOf(option: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!(number > 0)) throw new Error(`--${option} is "${value}"; it must be a number above 0.`);
  return number;
}

function withoutUndefined(filter: {
  readonly [K in keyof DeadLetterFilter]: DeadLetterFilter[K] | undefined;
}): DeadLetterFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
