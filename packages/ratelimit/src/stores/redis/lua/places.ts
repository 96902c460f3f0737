import { packedKinds } from '../../../strategies/strategy.ts';
import { widths } from '../requests.ts';
import { settling } from './strategies.ts';

const inOrder = Object.entries(packedKinds)
  .toSorted(([, a], [, b]) => a - b)
  .map(([name]) => widths[name as keyof typeof widths]);
const { bucket, sliding, slots, window } = packedKinds;

/** Sets `now`. Tests say in the first argument what time it is; nobody else does. */
export const clock = `
local now = ARGV[1] + 0
if now == 0 then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
`;

/**
 * How state lies in Redis. A place is a space and a key in it. It has two Redis keys:
 *
 * - a hash: a field for the state of each rule, by the rule's id; a field `/id` for each reservation; and `~`, which tells until when the hash is kept and
 *   when its next reservation may be over;
 * - a sorted set of reservations by their expiry.
 *
 * A reservation is `{ expiry, part, part, ... }`, a part `{ rule, held, spent, mark, strategy }`, where the strategy is false if nothing is given back at the expiry.
 *
 * What is over is settled as of its expiry and not as of the call that comes across it, so that answers do not depend on who looked when.
 */
export const places = `
local function encode(strategy, state, till)
  local kind = strategy[1]
  if kind == ${sliding} then return cmsgpack.pack(state) end
  if kind == ${slots} then return struct.pack('>d', state.active) end
  if kind ~= ${bucket} then return struct.pack('>dd', state.start, state.used) end
  return struct.pack('>ddddddd', state.debt, state.solid, state.held, state.at, state.since, strategy[2], till)
end

local function set_state(place, rule, strategy, state)
  place.writes = place.writes or {}
  local writes = place.writes
  writes[#writes + 1] = rule
  writes[#writes + 1] = encode(strategy, state, place.till)
  if strategy[1] ~= ${slots} then place.needed = math.max(place.needed, now + reset_of(strategy, state, now)) end
end

-- Writes what was set. A hash is kept a little longer than it is needed, so that not every call has to say how long.
local function save(place)
  local writes = place.writes
  if not writes then return end
  local till = place.till
  if place.needed > till then till = place.needed + math.max(1000000, math.min(60000000, place.needed - now)) end
  if till ~= place.till or place.next ~= place.known_next then
    writes[#writes + 1] = '~'
    writes[#writes + 1] = struct.pack('>dd', till, place.next)
  end
  -- Lua's stack holds some thousand values.
  for i = 1, #writes, 1000 do redis.call('HSET', place.hash, unpack(writes, i, math.min(i + 999, #writes))) end
  if till == place.till and not place.leased then return end
  local ms = string.format('%.0f', math.ceil((till - now) / 1000))
  redis.call('PEXPIRE', place.hash, ms)
  if place.leased then redis.call('PEXPIRE', place.leases, ms) end
end

-- Takes out reservations that are over, up to a number that does not keep others waiting, and the named one; the rest counts until the next call.
local function reap(place, id)
${settling}
  local function give_back(part, expiry)
    local strategy = part[5]
    local packed = redis.call('HGET', place.hash, part[1])
    if not strategy or not packed then return end
    local state = load(strategy, packed, expiry)
    settle(strategy, state, part[2], part[4], 0, expiry)
    redis.call('HSET', place.hash, part[1], encode(strategy, state, place.till))
  end

  -- Checks keep the hash longer and do not know of the set, which is gone first then. It is made again.
  if redis.call('EXISTS', place.leases) == 0 then
    for _, field in ipairs(redis.call('HKEYS', place.hash)) do
      if string.sub(field, 1, 1) == '/' then
        local lease = cmsgpack.unpack(redis.call('HGET', place.hash, field))
        redis.call('ZADD', place.leases, string.format('%.0f', lease[1]), string.sub(field, 2))
      end
    end
    redis.call('PEXPIRE', place.leases, redis.call('PTTL', place.hash))
  end
  local due = redis.call('ZRANGEBYSCORE', place.leases, '-inf', string.format('%.0f', now), 'LIMIT', 0, 500)
  local own = id and redis.call('ZSCORE', place.leases, id)
  if own and own + 0 <= now then due[#due + 1] = id end
  for _, over in ipairs(due) do
    local packed = redis.call('HGET', place.hash, '/' .. over)
    local lease = packed and cmsgpack.unpack(packed) or { 0 }
    for i = 2, #lease do give_back(lease[i], lease[1]) end
    redis.call('HDEL', place.hash, '/' .. over)
    redis.call('ZREM', place.leases, over)
  end
  local first = redis.call('ZRANGE', place.leases, 0, 0, 'WITHSCORES')
  if redis.call('EXISTS', place.hash) == 1 then
    redis.call('HSET', place.hash, '~', struct.pack('>dd', place.till, tonumber(first[2] or 0)))
  end
end

-- Reads fields of a place. Afterwards place.values has them, and place.till and place.next what is known of the hash.
local function read(place, id, reaped)
  local fields = place.fields
  fields[#fields + 1] = '~'
  local values = redis.call('HMGET', place.hash, unpack(fields))
  local till, next_expiry = 0, 0
  if values[#fields] then till, next_expiry = struct.unpack('>dd', values[#fields]) end
  place.till, place.next, place.known_next, place.needed = till, next_expiry, next_expiry, 0
  if place.next > 0 and place.next <= now and not reaped then
    reap(place, id)
    fields[#fields] = nil
    return read(place, id, true)
  end
  place.values = values
end

-- Reads the asks, which begin with the argument i. An ask is { place, cost, rule, enforced, returns, strategy, state }; an eighth fits in the table as it is, while
-- fields with names would be a new table each. With an id, gives places their lease of it where that is not over.
local function open(i, id)
  local opened, asks, widths = {}, {}, { ${inOrder.join(', ')} }
  for k = 1, #KEYS, 2 do
    local place = {
      hash = KEYS[k], leases = KEYS[k + 1], fields = id and { '/' .. id } or {}, values = false, writes = false,
      till = 0, next = 0, known_next = 0, needed = 0,
    }
    opened[#opened + 1] = place
    local fields, count = place.fields, ARGV[i] + 0
    local rule = i
    i = i + count + 1
    for n = 1, count do
      local code = ARGV[i] + 0
      local kind, flags = code % 8, math.floor(code / 8)
      local strategy = { kind }
      for part = 2, widths[kind] do strategy[part] = ARGV[i + part] + 0 end
      if kind == ${window} then strategy[4] = flags >= 4 and 1 or 0 end
      fields[#fields + 1] = ARGV[rule + n]
      asks[#asks + 1] = { place, ARGV[i + 1] + 0, ARGV[rule + n], flags % 2, math.floor(flags / 2) % 2, strategy, #fields }
      i = i + widths[kind] + 1
    end
  end
  for _, place in ipairs(opened) do
    read(place, id)
    local packed = id and place.values[1]
    local lease = packed and cmsgpack.unpack(packed)
    if lease and lease[1] > now then place.lease = lease end
  end
  for _, ask in ipairs(asks) do ask[7] = load(ask[6], ask[1].values[ask[7]], now) end
  return opened, asks
end
`;

/** What calls with a reservation need beside {@link places}. */
export const leases = `
local function set_lease(place, id, lease)
  if #lease == 1 then
    redis.call('HDEL', place.hash, '/' .. id)
    redis.call('ZREM', place.leases, id)
    return
  end
  local expiry = lease[1]
  place.writes = place.writes or {}
  local writes = place.writes
  writes[#writes + 1] = '/' .. id
  writes[#writes + 1] = cmsgpack.pack(lease)
  redis.call('ZADD', place.leases, string.format('%.0f', expiry), id)
  place.leased = true
  place.needed = math.max(place.needed, expiry)
  if place.next == 0 or expiry < place.next then place.next = expiry end
end

local function part_of(lease, rule)
  if not lease then return end
  for i = 2, #lease do
    if lease[i][1] == rule then return lease[i], i end
  end
end
`;
