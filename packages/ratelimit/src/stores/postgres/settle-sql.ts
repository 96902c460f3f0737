import { onTable } from './tables-sql.ts';

/** What happens to reservations, under the locks of their keys, and to whole keys after a decision. */
export function settleSql(at: string): string {
  return [settlementSql(at), extendSql(at), forgetSql(at), snapshotSql(at), sweepSql(at)].join('\n');
}

function settlementSql(at: string): string {
  return `
create function ${at}sage_limiter_settle(rules text[], keys text[], asks bigint[], own_id text, labels text[], now_us bigint)
returns bigint[] language plpgsql as $limiter$
declare
  step ${at}sage_limiter_step;
  part_held bigint; part_spent bigint; part_mark bigint; part_expires bigint;
  -- Whether any part was there; then for each ask the units beyond its limit, and what its part held, -1 where there was none.
  answer bigint[] := array[0];
begin
  for i in 1 .. cardinality(rules) loop
    answer := answer || array[0, -1]::bigint[];
    ${onTable(at, 'asks[8 * i] & 4 > 0', 'delete from $T_part t where t.key = keys[i] and t.rule = rules[i] and t.id = own_id and t.expires_us > now_us returning t.held, t.spent, t.mark, t.expires_us into part_held, part_spent, part_mark, part_expires')}
    continue when part_held is null;
    answer[1] := 1;
    step := ${at}sage_limiter_look(rules[i], keys[i], asks[8 * i - 7 : 8 * i], now_us);
    step.due_us := ${at}sage_limiter_purge(step, now_us);
    step.st := ${at}sage_limiter_settled(step.s, step.st, part_held, part_mark, greatest(0, step.cost - part_spent), now_us);
    if part_expires = step.due_us then
      ${onTable(at, 'step.flags & 4 > 0', 'select min(t.expires_us) into step.due_us from $T_part t where t.key = step.key and t.rule = step.rule')}
    end if;
    -- The last reservation that is gone needs the row no longer than its state.
    if step.due_us is null then step.until_us := 0; end if;
    answer[2 * i] := (${at}sage_limiter_write(step, now_us))[3];
    answer[2 * i + 1] := part_held + part_spent;
    if step.flags & 8 > 0 then
      insert into ${at}sage_limiter_audit (kind, rule, unit, scope, key, cost, held, allowed, reservation)
      values ('settle', step.rule, labels[2 * i - 1], labels[2 * i], step.key, step.cost, part_held + part_spent, true, own_id);
    end if;
  end loop;
  return answer;
end $limiter$;
`;
}

function extendSql(at: string): string {
  return `
create function ${at}sage_limiter_extend(rules text[], keys text[], asks bigint[], own_id text, ttl_us bigint, clock_us bigint)
returns boolean language plpgsql as $limiter$
declare
  now_us bigint;
  extended boolean := false;
begin
  perform ${at}sage_limiter_lock(rules, keys);
  now_us := coalesce(clock_us, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  for i in 1 .. cardinality(rules) loop
    ${onTable(at, 'asks[8 * i] & 4 > 0', 'update $T_part t set expires_us = now_us + ttl_us where t.key = keys[i] and t.rule = rules[i] and t.id = own_id and t.expires_us > now_us')}
    continue when not found;
    extended := true;
    ${onTable(at, 'asks[8 * i] & 4 > 0', 'update $T t set due_us = least(t.due_us, now_us + ttl_us), until_us = greatest(t.until_us, now_us + ttl_us) where t.key = keys[i] and t.rule = rules[i]')}
  end loop;
  return extended;
end $limiter$;
`;
}

function forgetSql(at: string): string {
  return `
create function ${at}sage_limiter_forget(rules text[], keys text[], asks bigint[]) returns void language plpgsql as $limiter$
begin
  perform ${at}sage_limiter_lock(rules, keys);
  for i in 1 .. cardinality(rules) loop
    -- Slots are alive.
    continue when asks[8 * i - 7] = 5;
    ${onTable(at, 'asks[8 * i] & 4 > 0', 'delete from $T_part t where t.key = keys[i] and t.rule = rules[i]')}
    ${onTable(at, 'asks[8 * i] & 4 > 0', 'delete from $T t where t.key = keys[i] and t.rule = rules[i]')}
  end loop;
end $limiter$;
`;
}

function snapshotSql(at: string): string {
  return `
create function ${at}sage_limiter_snapshot(rules text[], asks bigint[], most int, clock_us bigint)
returns table (rule_index int, own_key text, remaining text, reset_us text) language plpgsql stable as $limiter$
declare
  now_us bigint := coalesce(clock_us, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
begin
  return query
    select a.i::int, r.key::text, report.of[1]::text, report.of[2]::text
    from unnest(rules) with ordinality a (rule, i)
    join (
      select t.rule, t.key, 4 as bit from ${at}sage_limiter_logged t where greatest(t.idle_us, t.until_us) > now_us
      union all
      select t.rule, t.key, 0 from ${at}sage_limiter_unlogged t where greatest(t.idle_us, t.until_us) > now_us
    ) r on r.rule = a.rule and r.bit = asks[8 * a.i] & 4
    cross join lateral (select l.s, l.st from ${at}sage_limiter_look(r.rule, r.key, asks[8 * a.i - 7 : 8 * a.i], now_us) l offset 0) l
    cross join lateral (select ${at}sage_limiter_report(l.s, l.st, now_us) as of offset 0) report
    where report.of[2] > 0
    limit most;
end $limiter$;
`;
}

function sweepSql(at: string): string {
  const sweep = (name: string): string => `
  for gone in
    select t.rule, t.key from ${at}sage_limiter_${name} t where greatest(t.idle_us, t.until_us) <= now_us limit most - removed
  loop
    -- Who holds the lock is about to use the row.
    continue when not pg_try_advisory_xact_lock(hashtextextended(gone.rule || ' ' || gone.key, 0));
    delete from ${at}sage_limiter_${name} t
      where t.key = gone.key and t.rule = gone.rule and greatest(t.idle_us, t.until_us) <= now_us;
    continue when not found;
    delete from ${at}sage_limiter_${name}_part t where t.key = gone.key and t.rule = gone.rule;
    removed := removed + 1;
  end loop;`;
  return `
create function ${at}sage_limiter_sweep(most int, clock_us bigint) returns int language plpgsql as $limiter$
declare
  now_us bigint := coalesce(clock_us, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  gone record;
  removed int := 0;
begin
  ${sweep('logged')}
  ${sweep('unlogged')}
  return removed;
end $limiter$;
`;
}
