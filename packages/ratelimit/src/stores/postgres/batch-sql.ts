/**
 * The statement that carries calls: lock every key, read the clock, then one call after the other.
 *
 * The locks are advisory and end with the transaction. Unlike locks of rows they also hold for rows that are not there yet, and taking one writes nothing.
 */
export function batchSql(at: string): string {
  return `
-- Everything that asks about a rule and a key holds this lock. All take theirs in the order of the locks themselves, so no two wait for each other.
create function ${at}sage_limiter_lock(rules text[], keys text[]) returns void language plpgsql as $limiter$
begin
  if cardinality(rules) = 1 then
    if pg_advisory_xact_lock(hashtextextended(rules[1] || ' ' || keys[1], 0)) is null then return; end if;
  else
    perform pg_advisory_xact_lock(place.id) from (
      select distinct hashtextextended(a.rule || ' ' || a.key, 0) as id from unnest(rules, keys) a (rule, key) order by 1
    ) place;
  end if;
end $limiter$;

-- Calls have as many rules, keys and asks as \`sizes\` says, and one of each of the others. Their answers follow each other.
create function ${at}sage_limiter_batch(
  kinds int[], sizes int[], rules text[], keys text[], asks bigint[], ids text[], ttls_us bigint[], max_waits_us bigint[], labels text[], clock_us bigint
) returns bigint[] language plpgsql as $limiter$
declare
  now_us bigint;
  a int := 1;
  z int := 0;
  answers bigint[] := '{}';
begin
  perform ${at}sage_limiter_lock(rules, keys);
  -- After the locks: of two that waited, the later must not decide on the earlier instant.
  now_us := coalesce(clock_us, (extract(epoch from clock_timestamp()) * 1000000)::bigint);
  for i in 1 .. cardinality(kinds) loop
    z := z + sizes[i];
    answers := answers || case kinds[i]
      when ${settleKind} then ${at}sage_limiter_settle(rules[a:z], keys[a:z], asks[8 * a - 7 : 8 * z], ids[i], labels[2 * a - 1 : 2 * z], now_us)
      else ${at}sage_limiter_decide(kinds[i], rules[a:z], keys[a:z], asks[8 * a - 7 : 8 * z], ids[i], ttls_us[i], max_waits_us[i], labels[2 * a - 1 : 2 * z], now_us)
    end;
    a := z + 1;
  end loop;
  return answers;
end $limiter$;
`;
}

/** What stands in the place of a decision's kind for a settlement. */
export const settleKind = 6;
