import { type Migration, quoteIdentifier } from '@sage-adk/core/postgres';

// The value is text, not jsonb: jsonb refuses \u0000 and gives numbers and member order back changed.
// Keys compare by bytes, so that pages have one order under every locale.
export const migrations: readonly Migration[] = [
  {
    id: '1-entries',
    sql: `
      create sequence sage_kv_versions;
      create table sage_kv (
        namespace text collate "C" not null,
        key text collate "C" not null,
        value text not null,
        version bigint not null,
        expires_at timestamptz,
        primary key (namespace, key)
      );
      create index sage_kv_expiry on sage_kv (namespace, expires_at) where expires_at is not null;
    `,
  },
];

export type Statements = ReturnType<typeof statementsOf>;

/** The statements over the tables of a schema. Times are the server's, read when the row is looked at. */
export function statementsOf(schema: string | undefined) {
  const inSchema = (name: string) => (schema === undefined ? name : `${quoteIdentifier(schema)}.${name}`);
  const table = inSchema('sage_kv');
  const version = `nextval('${inSchema('sage_kv_versions').replaceAll("'", "''")}'::regclass)`;
  const ends = `clock_timestamp() + $4::float8 * interval '1 millisecond'`;
  const insert = `insert into ${table} as entry (namespace, key, value, version, expires_at)
    values ($1, $2, $3, ${version}, ${ends})
    on conflict (namespace, key) do update
    set value = excluded.value, version = excluded.version, expires_at = excluded.expires_at`;
  const live = `(expires_at is null or expires_at > clock_timestamp())`;
  return {
    get: `select value, version::text as version from ${table} where namespace = $1 and key = $2 and ${live}`,
    set: `${insert} returning version::text as version`,
    setAbsent: `${insert} where entry.expires_at <= clock_timestamp() returning version::text as version`,
    setOver: `update ${table} set value = $3, version = ${version}, expires_at = ${ends}
      where namespace = $1 and key = $2 and version::text = $5 and ${live} returning version::text as version`,
    delete: `delete from ${table} where namespace = $1 and key = $2 returning ${live} as live`,
    list: `select key from ${table} where namespace = $1 and key >= $2 and key < $2 || chr(1114111) and key >= $3 and ${live}
      order by key limit $4::int`,
    sweep: `delete from ${table} where (namespace, key) in (
      select namespace, key from ${table} where namespace = $1 and expires_at <= clock_timestamp() limit 500 for update skip locked)`,
  };
}
