import { onTable } from './tables-sql.ts';

/**
 * One decision, under the locks of its keys: look at all, then write all or nothing. A denial writes nothing.
 *
 * Asks come flat, eight numbers each: the packed strategy, the cost and the flags.
 */
export function decideSql(at: string): string {
  return [stepSql(at), lapseSql(at), lookSql(at), storeStateSql(at), bodySql(at)].join('\n');
}

/** Bits of an ask's flags. */
export const askFlags = { enforced: 1, returns: 2, logged: 4, audited: 8 } as const;

/** Kinds of decisions. */
export const decideKinds = { peek: 0, consume: 1, force: 2, reserve: 3, charge: 4, lower: 5 } as const;

/** What is known of one ask in the middle of a decision. */
function stepSql(at: string): string {
  return `
create type ${at}sage_limiter_step as (
  rule text, key text, s bigint[], st bigint[], cost bigint, flags int, known boolean, due_us bigint, until_us bigint, wait_us bigint, expires_us bigint
);
`;
}

/** The state after the end of reservations that nobody settled, as of the moment of each. Writes nothing. */
function lapseSql(at: string): string {
  return `
create function ${at}sage_limiter_lapse(logged boolean, own_rule text, own_key text, s bigint[], returns boolean, st bigint[], now_us bigint)
returns bigint[] language plpgsql stable as $limiter$
declare
  part record;
begin
  if not (returns or s[1] = 5) then return st; end if;
  for part in
    select expires_us, held, mark from ${at}sage_limiter_logged_part
      where logged and key = own_key and rule = own_rule and expires_us <= now_us
    union all
    select expires_us, held, mark from ${at}sage_limiter_unlogged_part
      where not logged and key = own_key and rule = own_rule and expires_us <= now_us
    order by 1
  loop
    st := ${at}sage_limiter_settled(s, ${at}sage_limiter_open(s, st, part.expires_us), part.held, part.mark, 0, part.expires_us);
  end loop;
  return st;
end $limiter$;
`;
}

function lookSql(at: string): string {
  return `
create function ${at}sage_limiter_look(own_rule text, own_key text, ask bigint[], now_us bigint) returns ${at}sage_limiter_step language plpgsql stable as $limiter$
declare
  step ${at}sage_limiter_step;
begin
  step.rule := own_rule;
  step.key := own_key;
  step.s := ask[1:6];
  step.cost := ask[7];
  step.flags := ask[8];
  ${onTable(at, 'step.flags & 4 > 0', 'select t.state, t.due_us, t.until_us into step.st, step.due_us, step.until_us from $T t where t.key = own_key and t.rule = own_rule')}
  step.known := found;
  if not found then
    step.st := '{}';
    step.until_us := 0;
  elsif step.due_us <= now_us then
    step.st := ${at}sage_limiter_lapse(step.flags & 4 > 0, own_rule, own_key, step.s, step.flags & 2 > 0, step.st, now_us);
  end if;
  step.st := ${at}sage_limiter_open(step.s, step.st, now_us);
  return step;
end $limiter$;

-- The expiry of the part that a reservation has there, null where there is none or it is over.
create function ${at}sage_limiter_expiry(step ${at}sage_limiter_step, own_id text, now_us bigint) returns bigint language plpgsql stable as $limiter$
declare
  expires_us bigint;
begin
  if step.due_us is null then return null; end if;
  ${onTable(at, 'step.flags & 4 > 0', 'select t.expires_us into expires_us from $T_part t where t.key = step.key and t.rule = step.rule and t.id = own_id and t.expires_us > now_us')}
  return expires_us;
end $limiter$;

-- How long that reservation still has to wait for its departure from a queue.
create function ${at}sage_limiter_left(step ${at}sage_limiter_step, own_id text, now_us bigint) returns bigint language plpgsql stable as $limiter$
declare
  mark_us bigint;
begin
  if step.due_us is null or step.s[1] <> 1 or step.s[5] = 0 then return 0; end if;
  ${onTable(at, 'step.flags & 4 > 0', 'select t.mark into mark_us from $T_part t where t.key = step.key and t.rule = step.rule and t.id = own_id and t.expires_us > now_us and t.held > 0')}
  return greatest(0, coalesce(mark_us - step.s[4] * step.s[2] / step.s[3] - now_us, 0));
end $limiter$;
`;
}

function storeStateSql(at: string): string {
  return `
-- Takes out the parts that are over. Returns the expiry of the next one.
create function ${at}sage_limiter_purge(step ${at}sage_limiter_step, now_us bigint) returns bigint language plpgsql as $limiter$
declare
  due bigint := step.due_us;
begin
  if due <= now_us then
    ${onTable(at, 'step.flags & 4 > 0', 'delete from $T_part t where t.key = step.key and t.rule = step.rule and t.expires_us <= now_us')}
    ${onTable(at, 'step.flags & 4 > 0', 'select min(t.expires_us) into due from $T_part t where t.key = step.key and t.rule = step.rule')}
  end if;
  return due;
end $limiter$;

-- Returns the report of what it wrote.
create function ${at}sage_limiter_write(step ${at}sage_limiter_step, now_us bigint) returns bigint[] language plpgsql as $limiter$
declare
  report bigint[] := ${at}sage_limiter_report(step.s, step.st, now_us);
  idle bigint := now_us + report[2];
begin
  if step.known then
    ${onTable(at, 'step.flags & 4 > 0', 'update $T t set state = step.st, idle_us = idle, due_us = step.due_us, until_us = step.until_us where t.key = step.key and t.rule = step.rule')}
  else
    ${onTable(at, 'step.flags & 4 > 0', 'insert into $T (rule, key, state, idle_us, due_us, until_us) values (step.rule, step.key, step.st, idle, step.due_us, step.until_us)')}
  end if;
  return report;
end $limiter$;

-- Adds what was just held to the part of a reservation, which it may begin.
create function ${at}sage_limiter_keep(step ${at}sage_limiter_step, own_id text, own_mark bigint) returns void language plpgsql as $limiter$
begin
  ${onTable(
    at,
    'step.flags & 4 > 0',
    `insert into $T_part as t (rule, key, id, expires_us, held, spent, mark)
    values (step.rule, step.key, own_id, step.expires_us, step.cost, 0, own_mark)
    on conflict (key, rule, id) do update set
      spent = t.spent + case when t.mark = excluded.mark then 0 else t.held end,
      held = case when t.mark = excluded.mark then t.held else 0 end + excluded.held,
      mark = excluded.mark`,
  )}
end $limiter$;
`;
}

function bodySql(at: string): string {
  return `
create function ${at}sage_limiter_decide(
  kind int, rules text[], keys text[], asks bigint[], own_id text, ttl_us bigint, max_wait_us bigint, labels text[], now_us bigint
) returns bigint[] language plpgsql as $limiter$
declare
  step ${at}sage_limiter_step;
  steps ${at}sage_limiter_step[];
  allowed boolean := true;
  delay_us bigint := 0;
  expires bigint;
  answer bigint[];
  report bigint[];
  writes boolean;
  units bigint;
begin
  for i in 1 .. cardinality(rules) loop
    step := ${at}sage_limiter_look(rules[i], keys[i], asks[8 * i - 7 : 8 * i], now_us);
    step.wait_us := ${at}sage_limiter_wait(step.s, step.st, step.cost, max_wait_us, now_us);
    if step.wait_us <> 0 and step.flags & 1 > 0 then allowed := false; end if;
    if kind in (3, 4) then expires := coalesce(expires, ${at}sage_limiter_expiry(step, own_id, now_us)); end if;
    steps[i] := step;
  end loop;

${chargeSql(at)}  return answer;
end $limiter$;
`;
}

/** All asks were looked at: writes all or nothing, and tells what became of each. */
function chargeSql(at: string): string {
  return `  writes := kind in (2, 5) or (kind = 1 and allowed) or (kind = 3 and allowed and expires is null) or (kind = 4 and allowed and expires is not null);
  allowed := kind in (2, 5) or (kind = 3 and expires is not null) or (allowed and (kind <> 4 or expires is not null));
  if kind = 3 and expires is not null then
    foreach step in array steps loop
      delay_us := greatest(delay_us, ${at}sage_limiter_left(step, own_id, now_us));
    end loop;
  elsif kind = 3 and writes then
    foreach step in array steps loop
      if step.wait_us = 0 then delay_us := greatest(delay_us, ${at}sage_limiter_delay(step.s, step.st, step.cost)); end if;
    end loop;
  end if;

  answer := array[
    case when allowed then 1 else 0 end,
    case when kind = 3 and expires is not null then 1 when kind = 4 and expires is null then 2 else 0 end,
    delay_us];
  if kind = 3 then expires := now_us + delay_us + ttl_us; end if;
  for i in 1 .. cardinality(rules) loop
    step := steps[i];
    report := null;
    if writes and (step.wait_us = 0 or kind in (2, 5)) and (step.s[1] <> 5 or kind = 3) then
      units := case when kind = 5 then greatest(0, (${at}sage_limiter_report(step.s, step.st, now_us))[1] - step.cost) else step.cost end;
      -- What lapsed is in the state, and goes with it only.
      if step.due_us <= now_us and (units > 0 or kind in (3, 4)) then step.due_us := ${at}sage_limiter_purge(step, now_us); end if;
      if kind in (3, 4) then
        step.st := ${at}sage_limiter_hold(step.s, step.st, step.cost, now_us);
        step.expires_us := expires;
        perform ${at}sage_limiter_keep(step, own_id, ${at}sage_limiter_mark(step.s, step.st, now_us));
        step.due_us := least(step.due_us, expires);
        step.until_us := greatest(step.until_us, expires);
        report := ${at}sage_limiter_write(step, now_us);
      elsif units > 0 then
        step.st := ${at}sage_limiter_spend(step.s, step.st, units, now_us);
        report := ${at}sage_limiter_write(step, now_us);
      end if;
    end if;
    if step.flags & 8 > 0 and kind between 1 and 4 then
      insert into ${at}sage_limiter_audit (kind, rule, unit, scope, key, cost, held, allowed, reservation)
      values ((array['consume', 'consume', 'reserve', 'charge'])[kind], step.rule, labels[2 * i - 1], labels[2 * i], step.key, step.cost, 0,
        writes and (step.wait_us = 0 or kind = 2), nullif(own_id, ''));
    end if;
    report := coalesce(report, ${at}sage_limiter_report(step.s, step.st, now_us));
    answer := answer || array[step.wait_us, report[1], report[2]];
  end loop;`;
}
