/**
 * The scripts, one for each operation of a store. Each takes the hash and the sorted set of every place as keys; as arguments 0, what it says itself, and
 * the asks as `packAsks` makes them. Asks are answered in their order.
 */
import { defineScript } from '@sage-adk/core/redis';
import { packedKinds } from '../../../strategies/strategy.ts';
import { clock, leases, places } from './places.ts';
import { holding, settling, strategies } from './strategies.ts';

// A function that is defined costs a call something even where it is not called: so what only some calls need stands where only they come by.
const shared = strategies + places;

/**
 * Says: kind, which is `force` for a check that is; then for `reserve` and `charge` the reservation, its time to live and the longest wait. Reply: allowed, delay,
 * 1 for repeated or 2 for gone; then for each ask its wait (-1 for never), what remains, when it resets.
 */
export const decideScript = defineScript({
  name: 'limiter.decide',
  lua: `${clock}
local kind = ARGV[2]
${shared}
local named = kind == 'reserve' or kind == 'charge'
local forced = kind == 'force' or kind == 'lower'
local id, max_wait = named and ARGV[3], named and ARGV[5] + 0 or 0
local opened, asks = open(named and 6 or 3, id)
local allowed, known, expiry = 1, false, 0
for _, ask in ipairs(asks) do
  ask[8] = wait_of(ask[6], ask[7], ask[2], max_wait, now)
  if ask[8] ~= 0 and ask[4] == 1 then allowed = 0 end
end
if forced then allowed = 1 end

local delay, note = 0, 0
local writes = allowed == 1 and kind ~= 'peek'
local hold_part, write_lease
if named then
${holding}${leases}
  local left = 0
  for _, ask in ipairs(asks) do
    local part = part_of(ask[1].lease, ask[3])
    if part then
      known, expiry = true, ask[1].lease[1]
      left = math.max(left, delay_left(ask[6], part[2], part[4], now))
    end
  end
  if kind == 'reserve' and known then
    allowed, note, writes, delay = 1, 1, false, left
  elseif kind == 'charge' and not known then
    allowed, note, writes = 0, 2, false
  end
  if writes and kind == 'reserve' then
    for _, ask in ipairs(asks) do
      if ask[8] == 0 then delay = math.max(delay, delay_of(ask[6], ask[7], ask[2])) end
    end
    expiry = now + delay + ARGV[4]
  end

  function hold_part(ask)
    local _, cost, rule, _, returns, strategy = unpack(ask)
    local place = ask[1]
    local mark = hold(strategy, ask[7], cost, now)
    place.lease = place.lease or { expiry }
    place.held = true
    local part = part_of(place.lease, rule)
    if not part then
      part = { rule, 0, 0, mark, returns == 1 and strategy }
      place.lease[#place.lease + 1] = part
    end
    if part[4] ~= mark then
      part[3], part[2], part[4] = part[3] + part[2], 0, mark
    end
    part[2] = part[2] + cost
  end
  write_lease = set_lease
end

if writes then
  for _, ask in ipairs(asks) do
    local _, cost, rule, _, _, strategy = unpack(ask)
    if kind == 'lower' then cost = math.max(0, remaining_of(strategy, ask[7], now) - cost) end
    if ask[8] == 0 or forced then
      if named then hold_part(ask) else spend(strategy, ask[7], cost, now) end
      if strategy[1] == ${packedKinds.slots} and not named then cost = 0 end
      if named or cost > 0 then set_state(ask[1], rule, strategy, ask[7]) end
    end
  end
  for _, place in ipairs(opened) do
    if place.held then write_lease(place, id, place.lease) end
    save(place)
  end
end

local reply = { allowed, delay, note }
for _, ask in ipairs(asks) do
  local size = #reply
  reply[size + 1] = ask[8] == math.huge and -1 or ask[8]
  reply[size + 2] = remaining_of(ask[6], ask[7], now)
  reply[size + 3] = reset_of(ask[6], ask[7], now)
end
return reply`,
});

/** Says: the reservation. Reply: whether any part was there; then for each ask the units beyond its limit. */
export const settleScript = defineScript({
  name: 'limiter.settle',
  lua: `${clock}${shared}${settling}${leases}
local id = ARGV[2]
local opened, asks = open(3, id)
local reply = { 0 }
for i, ask in ipairs(asks) do
  local _, cost, rule, _, _, strategy = unpack(ask)
  local place = ask[1]
  local part, index = part_of(place.lease, rule)
  reply[i + 1] = 0
  if part then
    settle(strategy, ask[7], part[2], part[4], math.max(0, cost - part[3]), now)
    set_state(place, rule, strategy, ask[7])
    table.remove(place.lease, index)
    place.settled = true
    reply[1] = 1
    reply[i + 1] = over_of(strategy, ask[7], now)
  end
end
for _, place in ipairs(opened) do
  if place.settled then set_lease(place, id, place.lease) end
  save(place)
end
return reply`,
});

/** Says: the reservation, its time to live. Reply: whether any part was there. */
export const extendScript = defineScript({
  name: 'limiter.extend',
  lua: `${clock}${shared}${leases}
-- Whatever is given: a hash that is kept for ever, or not at all, would be worse.
local id, ttl = ARGV[2], math.min(2^53, math.max(0, ARGV[3]))
local opened, asks = open(4, id)
local found = 0
for _, ask in ipairs(asks) do
  if part_of(ask[1].lease, ask[3]) then found = 1 end
end
for _, place in ipairs(opened) do
  if found == 1 and place.lease then
    place.lease[1] = now + ttl
    set_lease(place, id, place.lease)
    save(place)
  end
end
return found`,
});

/** The asks are none of slots. */
export const resetScript = defineScript({
  name: 'limiter.reset',
  lua: `${clock}${shared}${leases}
local _, asks = open(2)
for _, ask in ipairs(asks) do
  local place, rule = ask[1], ask[3]
  redis.call('HDEL', place.hash, rule)
  for _, id in ipairs(redis.call('ZRANGE', place.leases, 0, -1)) do
    local packed = redis.call('HGET', place.hash, '/' .. id)
    local lease = packed and cmsgpack.unpack(packed)
    local _, index = part_of(lease, rule)
    if index then
      table.remove(lease, index)
      if #lease > 1 then redis.call('HSET', place.hash, '/' .. id, cmsgpack.pack(lease)) else set_lease(place, id, lease) end
    end
  end
end
return 1`,
});

/**
 * One step through the keys of a node. KEYS: any key of the store, for a cluster to find the node. Says as JSON: cursor, start of hashes, start of sorted
 * sets, pattern of hashes, rules by space as `{ rule, strategy }`. Reply: cursor; then for each row space, number of the rule in it, key, what remains, when it resets.
 */
export const snapshotScript = defineScript({
  name: 'limiter.snapshot',
  numberOfKeys: 1,
  lua: `${clock}${shared}
local cursor, hashes, sets, pattern, spaces = unpack(cjson.decode(ARGV[2]))
local step = redis.call('SCAN', cursor, 'MATCH', pattern, 'COUNT', 500)
local reply = { step[1] }
for _, hash in ipairs(step[2]) do
  local name = string.sub(hash, #hashes + 1)
  local space = string.match(name, '^[^:]*')
  local key = string.sub(name, #space + 2)
  local rules = spaces[space]
  if rules then
    local place = { hash = hash, leases = sets .. name, fields = {} }
    for i, rule in ipairs(rules) do place.fields[i] = rule[1] end
    read(place)
    for i, rule in ipairs(rules) do
      local state = load(rule[2], place.values[i], now)
      local resets = reset_of(rule[2], state, now)
      if resets > 0 then
        for _, value in ipairs({ space, i, key, remaining_of(rule[2], state, now), resets }) do reply[#reply + 1] = value end
      end
    end
  end
end
return reply`,
});
