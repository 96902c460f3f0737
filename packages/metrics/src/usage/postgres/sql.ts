import { type Migration, quoteIdentifier } from '@sage-adk/core/postgres';

// The digest of the key is the row's identity: an index entry has a bound, six texts have not.
export const migrations: readonly Migration[] = [
  {
    id: '1-usage',
    sql: `
      create table sage_usage (
        day date not null,
        id bytea not null,
        tenant text not null, user_id text not null, agent text not null, session text not null, provider text not null, model text not null,
        messages bigint not null, failed_messages bigint not null, calls bigint not null, failed_calls bigint not null,
        input_tokens bigint not null, output_tokens bigint not null, cached_input_tokens bigint not null, cache_write_tokens bigint not null,
        reasoning_tokens bigint not null, unknown_cost_calls bigint not null, cost_nano_usd bigint not null,
        primary key (day, id)
      );
      create index sage_usage_tenant on sage_usage (tenant, day);
      create table sage_usage_batches (id text primary key, added_at timestamptz not null default now());
      create index sage_usage_batches_added on sage_usage_batches using brin (added_at);
    `,
  },
];

const keys = ['tenant', 'user_id', 'agent', 'session', 'provider', 'model'];
const counts = [
  'messages',
  'failed_messages',
  'calls',
  'failed_calls',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'unknown_cost_calls',
  'cost_nano_usd',
];

/** The statements over the tables of a schema. */
export function statementsOf(schema: string | undefined) {
  const inSchema = (name: string) => (schema === undefined ? name : `${quoteIdentifier(schema)}.${name}`);
  const table = inSchema('sage_usage');
  const batches = inSchema('sage_usage_batches');
  const columns = [...keys, ...counts];
  return {
    // In the order of the keys, so that no two writers wait for each other in a circle.
    add: `with fresh as (insert into ${batches} (id) values ($1) on conflict do nothing returning 1)
      insert into ${table} as kept (day, id, ${columns.join(', ')})
      select $2::text::date, decode(row_id, 'hex'), ${columns.join(', ')}
      from jsonb_to_recordset($3::text::jsonb) as added (row_id text, ${keys.map((name) => `${name} text`).join(', ')}, ${counts.map((name) => `${name} bigint`).join(', ')})
      where exists (select 1 from fresh) order by row_id
      on conflict (day, id) do update set ${counts.map((name) => `${name} = kept.${name} + excluded.${name}`).join(', ')}`,
    read: `select day::text as day, encode(id, 'hex') as row_id, ${keys.join(', ')}, ${counts.map((name) => `${name}::text as ${name}`).join(', ')}
      from ${table} where (day, id) > ($1::text::date, decode($2, 'hex')) and day <= $3::text::date and ($4::text is null or tenant = $4)
      order by day, id limit $5::int`,
    prune: `delete from ${table} where day < $1::text::date`,
    sweep: `delete from ${batches} where added_at < now() - interval '2 days'`,
  };
}
