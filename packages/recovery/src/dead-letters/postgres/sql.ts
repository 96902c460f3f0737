import { quoteIdentifier } from '@sage-adk/core/postgres';
import { mostBytes } from '../most-bytes.ts';

/** Letters that one sweep looks at. */
export const sweptAtOnce = 500;

export type Statements = ReturnType<typeof statementsOf>;

const now = 'clock_timestamp()';
// One instant for the whole statement, so that an index can be searched by it; a claim waits for nobody.
const asked = 'statement_timestamp()';
const ms = (parameter: string) => `${parameter}::float8 * interval '1 millisecond'`;
// In float8, which is far cheaper than the numeric of extract; its error is below a microsecond, and half of one is what is added.
const toMs = (column: string) => `floor(date_part('epoch', ${column}) * 1000 + 0.0005)`;
const leased = `(state = 'claimed' and visible_at > ${now})`;
const live = `(expires_at > ${now} or ${leased})`;

const idsOf = (parameter: string) => `(select jsonb_array_elements_text(${parameter}::text::jsonb)::uuid)`;

const columns = (table: string) =>
  `${table}.id, ${table}.source, ${table}.dedupe_key as "dedupeKey", ${table}.payload, ${table}.headers, ${table}.error, ${table}.fingerprint,
   ${table}.state, ${table}.failures, ${table}.redrives, ${table}.version::float8 as version,
   ${toMs(`${table}.first_failed_at`)} as "firstFailedAtMs", ${toMs(`${table}.failed_at`)} as "failedAtMs",
   ${toMs(`${table}.visible_at`)} as "visibleAtMs", ${toMs(`${table}.expires_at`)} as "expiresAtMs"`;

/** The statements over the tables of a schema. $1 is the queue. Times are the server's, read when the row is looked at. */
export function statementsOf(schema: string | undefined) {
  const inSchema = (name: string) => (schema === undefined ? name : `${quoteIdentifier(schema)}.${name}`);
  const table = inSchema('sage_dead_letters');
  const counters = inSchema('sage_dead_letter_counters');
  return {
    put: putOf(table),
    ...roomOf(table, counters),
    claim: claimOf(table),
    ack: `delete from ${table} where queue = $1 and id = $2 and version = $3::bigint and state = 'claimed' returning 1 as done`,
    nack: `update ${table} set
        state = case when redrives >= $5::int then 'parked' else 'dead' end, version = version + 1, visible_at = ${now} + ${ms('$4')},
        failures = failures + case when $7::text is null then 0 else 1 end,
        failed_at = case when $7::text is null then failed_at else ${now} end,
        expires_at = case when $7::text is null then expires_at else ${now} + ${ms('$6')} end,
        error = coalesce($7::text, error), category = coalesce($8::text, category), reason = coalesce($9::text, reason),
        fingerprint = coalesce($10::text, fingerprint)
      where queue = $1 and id = $2 and version = $3::bigint and state = 'claimed' returning 1 as done`,
    extend: `update ${table} set visible_at = ${now} + ${ms('$4')}
      where queue = $1 and id = $2 and version = $3::bigint and state = 'claimed' returning 1 as done`,
    release: `update ${table} set state = 'dead', redrives = 0, version = version + 1, visible_at = ${now}
      where queue = $1 and id = $2 and state = 'parked' and expires_at > ${now} returning 1 as done`,
    page: pageOf(table),
    remove: `delete from ${table} using jsonb_to_recordset($2::text::jsonb) as wanted (id uuid, version bigint)
      where queue = $1 and ${table}.id = wanted.id and ${table}.version = wanted.version and not ${leased} returning 1 as done`,
    stats: `select count(*) filter (where state = 'dead')::float8 as dead, count(*) filter (where state = 'claimed')::float8 as claimed,
        count(*) filter (where state = 'parked')::float8 as parked,
        greatest(0, ${toMs(`${now} - min(first_failed_at)`)}) as "oldestAgeMs",
        coalesce((select dropped from ${counters} where queue = $1), 0)::float8 as dropped
      from ${table} where queue = $1 and ${live}`,
    // A piece of the queue at a time, by the index that letters have anyway: one on what is swept would have to be kept at each claim.
    sweep: `with looked as (select id from ${table} where queue = $1 and id > $2 order by id limit ${sweptAtOnce}),
      last as (select id from looked order by id desc limit 1),
      gone as (delete from ${table} where ctid = any (array(
        select ctid from ${table} where queue = $1 and id > $2 and id <= (select id from last) and not ${live} for update skip locked)))
      select (select id::text from last) as last, (select count(*)::int from looked) as looked`,
  };
}

/**
 * A statement for each limit, with and without ids: the planner takes a limit that it does not know for a tenth of the table, and so plans each claim anew,
 * which costs more than the claim of one letter.
 */
function claimOf(table: string): (limit: number, byIds: boolean) => string {
  const known = new Map<number, string>();
  const textOf = (limit: number, byIds: boolean) => `update ${table} as letter set
      state = case when redrives >= $3::int then 'parked' else 'claimed' end,
      redrives = case when redrives >= $3::int then redrives else redrives + 1 end,
      version = version + 1,
      visible_at = case when redrives >= $3::int then visible_at else ${asked} + ${ms('$2')} end
    where ctid = any (array(
      select ctid from ${table} where queue = $1 and state <> 'parked' and visible_at <= ${asked} and expires_at > ${asked}
        ${byIds ? `and id in ${idsOf('$4')}` : ''}
      order by visible_at limit ${limit} for update skip locked))
    returning ${columns('letter')}`;
  return (limit, byIds) => {
    const key = byIds ? -limit : limit;
    const text = known.get(key) ?? textOf(limit, byIds);
    known.set(key, text);
    return text;
  };
}

// A letter that expired and is still there is made new in its place.
function putOf(table: string): string {
  const gone =
    'not (letter.expires_at > clock_timestamp() or (letter.state = $$claimed$$ and letter.visible_at > clock_timestamp()))';
  const renewed = (column: string, kept: string) =>
    `${column} = case when ${gone} then excluded.${column} else ${kept} end`;
  return `insert into ${table} as letter (queue, id, source, dedupe_key, payload, headers, error, category, reason, fingerprint,
      key, state, version, failures, redrives, first_failed_at, failed_at, visible_at, expires_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $14, 'dead', 1, 1, 0, ${now}, ${now}, ${now} + ${ms('$11')}, ${now} + ${ms('$12')})
    on conflict (key) do update set
      ${renewed('id', 'letter.id')}, ${renewed('payload', 'letter.payload')}, ${renewed('headers', 'letter.headers')},
      ${renewed('failures', 'letter.failures + 1')}, ${renewed('redrives', 'letter.redrives')},
      ${renewed('first_failed_at', 'letter.first_failed_at')}, ${renewed(
        'state',
        `case when letter.state = 'parked' or letter.redrives >= $13::int then 'parked' else 'dead' end`,
      )},
      version = letter.version + 1, error = excluded.error, category = excluded.category, reason = excluded.reason,
      fingerprint = excluded.fingerprint, failed_at = excluded.failed_at, visible_at = excluded.visible_at, expires_at = excluded.expires_at
    returning id, failures > 1 as duplicate`;
}

// Stores with a bound put one letter at a time, so that no two take the last place.
function roomOf(table: string, counters: string) {
  return {
    lock: `select pg_advisory_xact_lock(hashtextextended('sage_dead_letters:' || $1, 0))`,
    room: `select (select count(*) from ${table} where queue = $1 and ${live})::float8 as count,
      exists (select 1 from ${table} where queue = $1 and key = $2 and ${live}) as known`,
    drop: `with dropped as (
        delete from ${table} where queue = $1 and id in (
          select id from ${table} where queue = $1 and ${live} and not ${leased} order by id limit $2::int for update) returning 1)
      insert into ${counters} as counter (queue, dropped) select $1, count(*) from dropped
      on conflict (queue) do update set dropped = counter.dropped + excluded.dropped
      returning (select count(*) from dropped)::float8 as dropped`,
  };
}

/** Letters from a cursor on, as many as fit into one reply, each with whether the page has `more` behind it. */
function pageOf(table: string): string {
  const wanted = (column: string, parameter: string) => `(${parameter}::text is null or ${column} = ${parameter})`;
  const found = `select * from ${table} where queue = $1 and id > $2 and ${live}
      and ($4::text is null or id in ${idsOf('$4')})
      and ${wanted('source', '$5')} and ${wanted('state', '$6')} and ${wanted('fingerprint', '$7')}
      and ${wanted('category', '$8')} and ${wanted('reason', '$9')}
      and ($10::text is null or position($10 in payload) > 0 or position($10 in error) > 0)
      and ($11::float8 is null or ${toMs('failed_at')} >= $11) and ($12::float8 is null or ${toMs('failed_at')} < $12)
    order by id limit $3::int`;
  // Lengths are known without reading the texts.
  return `select ${columns('letter')}, more from (
      select found.*, row_number() over up_to as place, lead(id) over up_to is not null as more,
        sum(octet_length(payload)::bigint + octet_length(headers) + octet_length(error)) over up_to as bytes
      from (${found}) as found window up_to as (order by id rows unbounded preceding)) as letter
    where place = 1 or bytes <= ${mostBytes} order by id`;
}
