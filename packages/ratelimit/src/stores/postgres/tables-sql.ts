/**
 * The tables of the store, each twice: LOGGED, which a crash of the server does not touch, and UNLOGGED, which it empties.
 *
 * No column that changes is indexed, and pages are half full, so that updates stay in their page (HOT). Times are microseconds since the epoch.
 */
export function tablesSql(at: string): string {
  return [kindsSql(at, ''), kindsSql(at, 'unlogged'), auditSql(at), viewsSql(at)].join('\n');
}

function kindsSql(at: string, persistence: 'unlogged' | ''): string {
  const name = persistence === '' ? 'logged' : persistence;
  return `
create ${persistence} table ${at}sage_limiter_${name} (
  rule text collate "C" not null,
  key text collate "C" not null,
  state bigint[] not null,
  -- From when on the state counts no more; the first and the last expiry of its reservations, or earlier and later.
  idle_us bigint not null,
  due_us bigint,
  until_us bigint not null,
  primary key (key, rule)
) with (fillfactor = 50);

create ${persistence} table ${at}sage_limiter_${name}_part (
  rule text collate "C" not null,
  key text collate "C" not null,
  id text collate "C" not null,
  expires_us bigint not null,
  held bigint not null,
  spent bigint not null,
  mark bigint not null,
  primary key (key, rule, id)
) with (fillfactor = 70);
`;
}

function auditSql(at: string): string {
  return `
create table ${at}sage_limiter_audit (
  at timestamptz not null default clock_timestamp(),
  kind text not null,
  rule text not null,
  unit text not null,
  scope text not null,
  key text not null,
  cost bigint not null,
  held bigint not null,
  allowed boolean not null,
  weight double precision not null default 1,
  reservation text
);
create index sage_limiter_audit_at on ${at}sage_limiter_audit using brin (at);
`;
}

function viewsSql(at: string): string {
  const parts = (name: string) => `
  select rule, key, id, to_timestamp(expires_us / 1000000.0) as expired_at, held, spent
  from ${at}sage_limiter_${name}_part where expires_us < extract(epoch from clock_timestamp()) * 1000000`;
  return `
create view ${at}sage_limiter_usage as
  select date_trunc('day', at at time zone 'UTC')::date as day, scope, key, unit, rule,
    sum(case when kind = 'settle' then cost - held when allowed then cost else 0 end * weight) as units,
    sum(weight) filter (where allowed and kind <> 'settle') as admitted,
    sum(weight) filter (where not allowed) as denied
  from ${at}sage_limiter_audit group by 1, 2, 3, 4, 5;

create view ${at}sage_limiter_top_denied as
  select scope, key, rule, sum(weight) as denials, max(at) as last_at
  from ${at}sage_limiter_audit where not allowed and at > clock_timestamp() - interval '1 day'
  group by 1, 2, 3 order by denials desc;

create view ${at}sage_limiter_leaks as ${parts('logged')} union all ${parts('unlogged')};
`;
}

/** One statement for each of the two tables, by what an expression says. \`$T\` in it stands for the name of the table. */
export function onTable(at: string, logged: string, statement: string): string {
  const on = (name: string): string => statement.replaceAll('$T', () => `${at}sage_limiter_${name}`);
  return `if ${logged} then ${on('logged')}; else ${on('unlogged')}; end if;`;
}
