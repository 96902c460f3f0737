/**
 * The arithmetic of `../../strategies` in plpgsql, on `bigint`, equal to the unit.
 *
 * A strategy `s` is what `packStrategy` makes. A state `st` is `{debt, solid, held, at, since, weight}` of a bucket, `{start, used, end}` of a window,
 * `{time, units, ...}` of a sliding window, `{active}` of slots, and `{}` where nothing is kept. A bucket that has just held has its mark as seventh.
 *
 * Products of an elapsed time may overflow where only counts whether they are large: those divide first.
 */
export function arithmeticSql(at: string): string {
  return [helpersSql(at), openSql(at), waitSql(at), spendSql(at), holdSql(at), settleSql(at), reportSql(at)].join('\n');
}

/** 2^52, the most parts that anything is counted to, and 2^53 - 1, the most units. */
const mostDebt = '4503599627370496';
const mostUnits = '9007199254740991';

function helpersSql(at: string): string {
  return `
create function ${at}sage_limiter_plus(parts bigint, units bigint, weight bigint) returns bigint language sql immutable as $limiter$
  select case when units > (${mostDebt} - parts) / weight then ${mostDebt} else parts + units * weight end
$limiter$;

create function ${at}sage_limiter_times(units bigint, weight bigint) returns bigint language sql immutable as $limiter$
  select case when units > ${mostDebt} / weight then ${mostDebt} else units * weight end
$limiter$;

-- Of a part of a unit a double makes what it makes of it in TypeScript.
create function ${at}sage_limiter_reweigh(parts bigint, from_weight bigint, weight bigint) returns bigint language sql immutable as $limiter$
  select ${at}sage_limiter_plus(
    least(weight, ceil((parts % from_weight)::float8 / from_weight::float8 * weight::float8)::bigint), parts / from_weight, weight)
$limiter$;

create function ${at}sage_limiter_sliding_used(s bigint[], st bigint[], now_us bigint) returns bigint language plpgsql immutable as $limiter$
declare
  used bigint := 0;
begin
  for i in 1 .. cardinality(st) / 2 loop
    if now_us - st[2 * i - 1] < s[3] then used := used + st[2 * i]; end if;
  end loop;
  return used;
end $limiter$;
`;
}

/** The state as of now. */
function openSql(at: string): string {
  return `
create function ${at}sage_limiter_open(s bigint[], st bigint[], now_us bigint) returns bigint[] language plpgsql immutable as $limiter$
declare
  debt bigint; solid bigint; held bigint; at_us bigint; since_us bigint; from_weight bigint; drained bigint;
  start_us bigint; end_us bigint; length_us bigint; i int;
begin
  case s[1]
  when 1 then
    if cardinality(st) = 0 then return array[0, 0, 0, now_us, 0, s[2]]; end if;
    debt := st[1]; solid := st[2]; held := st[3]; at_us := st[4]; since_us := st[5]; from_weight := st[6];
    if from_weight <> s[2] then
      debt := ${at}sage_limiter_reweigh(debt, from_weight, s[2]);
      solid := ${at}sage_limiter_reweigh(solid, from_weight, s[2]);
      held := ${at}sage_limiter_reweigh(held, from_weight, s[2]);
    end if;
    if now_us > at_us then
      drained := ${at}sage_limiter_times(now_us - at_us, s[3]);
      debt := greatest(0, debt - drained);
      solid := greatest(0, solid - drained);
      at_us := now_us;
    end if;
    if debt = 0 then return array[0, 0, 0, at_us, 0, s[2]]; end if;
    return array[debt, solid, held, at_us, since_us, s[2]];
  when 2 then
    start_us := case
      when s[4] = 0 then now_us - now_us % s[3]
      when cardinality(st) > 0 and st[2] > 0 and now_us < st[1] + s[3] then st[1]
      else now_us end;
    end_us := start_us + s[3];
  when 3 then
    i := 5;
    while i > 3 and s[i] > now_us loop i := i - 1; end loop;
    start_us := s[i];
    end_us := s[i + 1];
    if now_us >= end_us then
      length_us := end_us - start_us;
      start_us := now_us - (now_us - start_us) % length_us;
      end_us := start_us + length_us;
    end if;
  when 4 then return st;
  else return case when cardinality(st) = 0 then array[0]::bigint[] else st end;
  end case;
  -- A window that was begun is not left for an earlier one.
  if cardinality(st) > 0 and st[2] > 0 and st[1] > start_us then return array[st[1], st[2], st[1] + (end_us - start_us)]; end if;
  if cardinality(st) > 0 and st[1] = start_us then return array[start_us, st[2], end_us]; end if;
  return array[start_us, 0, end_us];
end $limiter$;
`;
}

/** Microseconds until a cost fits: 0 now, -1 never. */
function waitSql(at: string): string {
  return `
create function ${at}sage_limiter_wait(s bigint[], st bigint[], cost bigint, max_wait_us bigint, now_us bigint) returns bigint language plpgsql immutable as $limiter$
declare
  excess bigint; may_wait bigint := 0; until_us bigint := now_us;
begin
  if cost > (case when s[1] = 1 then s[4] else s[2] end) then return -1; end if;
  if cost = 0 then return 0; end if;
  case s[1]
  when 1 then
    excess := st[1] - (s[4] - cost) * s[2];
    if excess <= 0 then return 0; end if;
    if s[5] > 0 then may_wait := least(s[5] * s[2], ${at}sage_limiter_times(max_wait_us, s[3])); end if;
    return case when excess <= may_wait then 0 else (excess - may_wait + s[3] - 1) / s[3] end;
  when 4 then
    excess := ${at}sage_limiter_sliding_used(s, st, now_us) - (s[2] - cost);
    for i in 1 .. cardinality(st) / 2 loop
      exit when excess <= 0;
      if now_us - st[2 * i - 1] < s[3] then
        excess := excess - st[2 * i];
        until_us := st[2 * i - 1] + s[3];
      end if;
    end loop;
    return until_us - now_us;
  when 5 then return case when st[1] + cost <= s[2] then 0 else 1000000 end;
  else return case when cost <= s[2] - st[2] then 0 else st[3] - now_us end;
  end case;
end $limiter$;

create function ${at}sage_limiter_delay(s bigint[], st bigint[], cost bigint) returns bigint language sql immutable as $limiter$
  select case
    when s[1] <> 1 or cost = 0 or st[1] <= (s[4] - cost) * s[2] then 0
    else (st[1] - (s[4] - cost) * s[2] + s[3] - 1) / s[3] end
$limiter$;
`;
}

/** Adds a cost for good. */
function spendSql(at: string): string {
  return `
create function ${at}sage_limiter_spend(s bigint[], st bigint[], cost bigint, now_us bigint) returns bigint[] language plpgsql immutable as $limiter$
declare
  time_us bigint; units bigint; dead int := 0; newest int;
begin
  if cost = 0 then return st; end if;
  case s[1]
  when 1 then
    return array[
      ${at}sage_limiter_plus(st[1], cost, s[2]), ${at}sage_limiter_plus(st[2], cost, s[2]), st[3], st[4],
      case when st[1] = 0 then st[4] else st[5] end, s[2]];
  when 4 then
    time_us := ${at}sage_limiter_mark(s, st, now_us);
    units := least(cost, ${mostUnits} - ${at}sage_limiter_sliding_used(s, st, now_us));
    while dead < cardinality(st) and now_us - st[dead + 1] >= s[3] loop dead := dead + 2; end loop;
    if dead > 0 then st := st[dead + 1 :]; end if;
    newest := cardinality(st) - 1;
    if newest > 0 and (st[newest] = time_us or newest >= 511) then
      st[newest] := time_us;
      st[newest + 1] := st[newest + 1] + units;
    elsif units > 0 then
      st := st || array[time_us, units];
    end if;
    return st;
  when 5 then return st;
  else return array[st[1], least(${mostUnits}, st[2] + cost), st[3]];
  end case;
end $limiter$;
`;
}

/** Adds a cost that will be settled. */
function holdSql(at: string): string {
  return `
create function ${at}sage_limiter_hold(s bigint[], st bigint[], cost bigint, now_us bigint) returns bigint[] language plpgsql immutable as $limiter$
declare
  held bigint;
begin
  if s[1] = 5 then return array[st[1] + cost]; end if;
  if s[1] <> 1 then return ${at}sage_limiter_spend(s, st, cost, now_us); end if;
  held := ${at}sage_limiter_plus(st[3], cost, s[2]);
  if s[5] > 0 or held = ${mostDebt} then
    st := ${at}sage_limiter_spend(s, st, cost, now_us);
    st[7] := case when s[5] > 0 then st[4] + (st[1] + s[3] - 1) / s[3] else 0 end;
    return st;
  end if;
  if st[1] = 0 and cost > 0 then st[5] := st[4]; end if;
  return array[${at}sage_limiter_plus(st[1], cost, s[2]), st[2], case when cost = 0 then st[3] else held end, st[4], st[5], s[2], st[5]];
end $limiter$;

-- What tells a settlement where its reservation was charged: asked of the state after it was.
create function ${at}sage_limiter_mark(s bigint[], st bigint[], now_us bigint) returns bigint language sql immutable as $limiter$
  select case s[1]
    when 1 then st[7]
    when 4 then greatest(now_us - now_us % s[4] + s[4] - 1, coalesce(st[cardinality(st) - 1], 0))
    when 5 then 0
    else st[1] end
$limiter$;
`;
}

/** Replaces what was held by what was used. */
function settleSql(at: string): string {
  return `
create function ${at}sage_limiter_settled(s bigint[], st bigint[], held bigint, mark bigint, used bigint, now_us bigint) returns bigint[] language plpgsql immutable as $limiter$
declare
  excess bigint := greatest(0, used - held);
  less bigint := greatest(0, held - used);
  still_held bigint; solid bigint; debt bigint; units bigint;
begin
  case s[1]
  when 1 then
    if s[5] > 0 then
      if less = 0 or st[4] + (st[1] + s[3] - 1) / s[3] <> mark then return ${at}sage_limiter_spend(s, st, excess, now_us); end if;
      less := ${at}sage_limiter_times(less, s[2]);
      return array[greatest(0, st[1] - less), greatest(0, st[2] - less), st[3], st[4], st[5], s[2]];
    end if;
    if mark = 0 or mark <> st[5] then return ${at}sage_limiter_spend(s, st, excess, now_us); end if;
    still_held := greatest(0, st[3] - ${at}sage_limiter_times(held, s[2]));
    solid := ${at}sage_limiter_plus(st[2], used, s[2]);
    debt := least(${at}sage_limiter_plus(st[1], excess, s[2]), solid + still_held);
    return array[debt, least(solid, debt), still_held, st[4], st[5], s[2]];
  when 4 then
    if excess > 0 then return ${at}sage_limiter_spend(s, st, excess, now_us); end if;
    for i in reverse cardinality(st) / 2 .. 1 loop
      if st[2 * i - 1] = mark then
        units := greatest(0, st[2 * i] - less);
        if units = 0 then return st[: 2 * i - 2] || st[2 * i + 1 :]; end if;
        st[2 * i] := units;
        return st;
      end if;
    end loop;
    return st;
  when 5 then return array[greatest(0, st[1] - held)];
  else
    if excess > 0 then return ${at}sage_limiter_spend(s, st, excess, now_us); end if;
    return case when mark = st[1] then array[st[1], greatest(0, st[2] - less), st[3]] else st end;
  end case;
end $limiter$;
`;
}

/** \`{remaining, reset, over}\`: units left, microseconds until nothing is used, units beyond the limit. */
function reportSql(at: string): string {
  return `
create function ${at}sage_limiter_report(s bigint[], st bigint[], now_us bigint) returns bigint[] language plpgsql immutable as $limiter$
declare
  used bigint;
begin
  case s[1]
  when 1 then
    used := s[4] * s[2];
    return array[greatest(0, used - st[1]) / s[2], (st[1] + s[3] - 1) / s[3], (greatest(0, st[1] - used) + s[2] - 1) / s[2]];
  when 4 then
    used := ${at}sage_limiter_sliding_used(s, st, now_us);
    return array[greatest(0, s[2] - used), greatest(0, coalesce(st[cardinality(st) - 1] + s[3] - now_us, 0)), greatest(0, used - s[2])];
  when 5 then return array[greatest(0, s[2] - st[1]), case when st[1] = 0 then 0 else 1000000 end, 0];
  else return array[greatest(0, s[2] - st[2]), case when st[2] = 0 then 0 else st[3] - now_us end, greatest(0, st[2] - s[2])];
  end case;
end $limiter$;
`;
}
