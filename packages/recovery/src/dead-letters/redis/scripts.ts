import { defineScript, type RedisScript } from '@sage-adk/core/redis';
import { mostBytes } from '../most-bytes.ts';

// What lies in Redis for a queue, all in one slot. `letters` (id -> JSON that never changes), `meta` (id -> JSON of what does), `errors` (id -> JSON of
// the last failure), `due` (id by the time from which it may be claimed), `parked`, `expiry` (id by the end of its retention), `ids` (in the order of
// ids), `dedupe` (source and dedupe key -> id), `counters`, `claimed` (those of `due` that were claimed and not given back).
const head = `
local mostBytes = ${mostBytes}
local letters, metas, errors, due, parked, expiry, ids, dedupe, counters, claimed = unpack(KEYS)
local time = redis.call('TIME')
local nowMs = math.floor(time[1] * 1000 + time[2] / 1000)
local function load(id)
  local json = redis.call('HGET', metas, id)
  return json and cjson.decode(json)
end
local function save(id, meta)
  redis.call('HSET', metas, id, cjson.encode(meta))
  redis.call('ZREM', meta.state == 'parked' and due or parked, id)
  redis.call('ZADD', meta.state == 'parked' and parked or due, meta.visibleAtMs, id)
  redis.call('ZADD', expiry, meta.expiresAtMs, id)
  redis.call(meta.state == 'claimed' and 'SADD' or 'SREM', claimed, id)
end
local function leased(meta)
  return meta.state == 'claimed' and meta.visibleAtMs > nowMs
end
local function remove(id, meta)
  redis.call('HDEL', letters, id)
  redis.call('HDEL', metas, id)
  redis.call('HDEL', errors, id)
  redis.call('ZREM', due, id)
  redis.call('ZREM', parked, id)
  redis.call('ZREM', expiry, id)
  redis.call('ZREM', ids, id)
  redis.call('HDEL', dedupe, meta.dedupe)
  redis.call('SREM', claimed, id)
end
local function expired(meta)
  return meta.expiresAtMs <= nowMs and not leased(meta)
end
local function expire()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', nowMs, 'LIMIT', 0, 32)) do
    local meta = load(id)
    if meta and not leased(meta) then remove(id, meta) end
  end
end
local function held(id, version)
  local meta = load(id)
  return meta and meta.state == 'claimed' and meta.version == tonumber(version) and meta
end
local function sizeOf(id)
  return redis.call('HSTRLEN', letters, id) + redis.call('HSTRLEN', errors, id)
end
local function restOrPark(meta, maxRedrives)
  return meta.redrives >= tonumber(maxRedrives) and 'parked' or 'dead'
end
`;

const script = (name: string, lua: string): RedisScript =>
  defineScript({ name: `dlq.${name}`, numberOfKeys: 10, lua: head + lua });

/** Replies with {id, 1 for a duplicate, dropped}, or nil where the store is full. */
export const putScript = script(
  'put',
  `
local id, key, letter, failure, fingerprint, delayMs, retentionMs, maxRedrives, maxEntries, whenFull = unpack(ARGV)
expire()
local known = redis.call('HGET', dedupe, key)
local meta = known and load(known)
if meta and expired(meta) then
  remove(known, meta)
  meta = nil
end
local dropped = 0
if meta then
  id = known
  meta.failures = meta.failures + 1
  meta.version = meta.version + 1
  if meta.state ~= 'parked' then meta.state = restOrPark(meta, maxRedrives) end
else
  if redis.call('ZCARD', ids) >= tonumber(maxEntries) then
    if whenFull == 'reject-new' then return false end
    local offset = 0
    while redis.call('ZCARD', ids) >= tonumber(maxEntries) do
      local oldest = redis.call('ZRANGE', ids, offset, offset)[1]
      if not oldest then return false end
      local other = load(oldest)
      if leased(other) then
        offset = offset + 1
      else
        remove(oldest, other)
        dropped = dropped + 1
      end
    end
    redis.call('HINCRBY', counters, 'dropped', dropped)
  end
  meta = { dedupe = key, state = 'dead', failures = 1, redrives = 0, version = 1, firstFailedAtMs = nowMs }
  redis.call('HSET', letters, id, letter)
  redis.call('ZADD', ids, 0, id)
  redis.call('HSET', dedupe, key, id)
end
meta.failedAtMs = nowMs
meta.visibleAtMs = nowMs + math.ceil(tonumber(delayMs))
meta.expiresAtMs = nowMs + tonumber(retentionMs)
meta.fingerprint = fingerprint
redis.call('HSET', errors, id, failure)
save(id, meta)
return { id, known and meta.failures > 1 and 1 or 0, dropped }
`,
);

/** ARGV: limit, lease, most redrives, ids. Replies with {parked, letter, meta, error, letter, ...}. */
export const claimScript = script(
  'claim',
  `
local limit, leaseMs, maxRedrives = tonumber(ARGV[1]), math.ceil(tonumber(ARGV[2])), tonumber(ARGV[3])
expire()
local wanted
if #ARGV > 3 then
  wanted = {}
  for index = 4, #ARGV do
    local score = redis.call('ZSCORE', due, ARGV[index])
    if score and tonumber(score) <= nowMs and #wanted < limit then wanted[#wanted + 1] = ARGV[index] end
  end
else
  wanted = redis.call('ZRANGEBYSCORE', due, '-inf', nowMs, 'LIMIT', 0, limit)
end
local reply, bytes = { 0 }, 0
for _, id in ipairs(wanted) do
  bytes = bytes + sizeOf(id)
  if bytes > mostBytes and #reply > 1 then break end
  local meta = load(id)
  if expired(meta) then
    remove(id, meta)
    reply[1] = reply[1] + 1
  else
    meta.version = meta.version + 1
    if meta.redrives >= maxRedrives then
      meta.state = 'parked'
      reply[1] = reply[1] + 1
    else
      meta.state = 'claimed'
      meta.redrives = meta.redrives + 1
      meta.visibleAtMs = nowMs + leaseMs
      reply[#reply + 1] = id
      reply[#reply + 1] = redis.call('HGET', letters, id)
      reply[#reply + 1] = cjson.encode(meta)
      reply[#reply + 1] = redis.call('HGET', errors, id)
    end
    save(id, meta)
  end
end
return reply
`,
);

/** ARGV: id, version. */
export const ackScript = script(
  'ack',
  `
local meta = held(ARGV[1], ARGV[2])
if not meta then return 0 end
remove(ARGV[1], meta)
return 1
`,
);

/** ARGV: id, version, delay, most redrives, retention, error or '', fingerprint. */
export const nackScript = script(
  'nack',
  `
local id, version, delayMs, maxRedrives, retentionMs, failure, fingerprint = unpack(ARGV)
local meta = held(id, version)
if not meta then return 0 end
if failure ~= '' then
  meta.failures = meta.failures + 1
  meta.failedAtMs = nowMs
  meta.expiresAtMs = nowMs + tonumber(retentionMs)
  meta.fingerprint = fingerprint
  redis.call('HSET', errors, id, failure)
end
meta.state = restOrPark(meta, maxRedrives)
meta.visibleAtMs = nowMs + math.ceil(tonumber(delayMs))
meta.version = meta.version + 1
save(id, meta)
return 1
`,
);

/** ARGV: id, version, lease. */
export const extendScript = script(
  'extend',
  `
local meta = held(ARGV[1], ARGV[2])
if not meta then return 0 end
meta.visibleAtMs = nowMs + math.ceil(tonumber(ARGV[3]))
save(ARGV[1], meta)
return 1
`,
);

/** ARGV: id. */
export const releaseScript = script(
  'release',
  `
local meta = load(ARGV[1])
if not meta or meta.state ~= 'parked' or expired(meta) then return 0 end
meta.state = 'dead'
meta.redrives = 0
meta.version = meta.version + 1
meta.visibleAtMs = nowMs
save(ARGV[1], meta)
return 1
`,
);

/** ARGV: cursor, limit. Replies with {cursor or '', id, letter, meta, error, id, ...}. */
export const pageScript = script(
  'page',
  `
local limit = tonumber(ARGV[2])
local found = redis.call('ZRANGEBYLEX', ids, '(' .. ARGV[1], '+', 'LIMIT', 0, limit + 1)
local reply, bytes, last = { '' }, 0, 0
for index = 1, math.min(limit, #found) do
  local id = found[index]
  bytes = bytes + sizeOf(id)
  if bytes > mostBytes and index > 1 then break end
  last = index
  local json = redis.call('HGET', metas, id)
  if not expired(cjson.decode(json)) then
    reply[#reply + 1] = id
    reply[#reply + 1] = redis.call('HGET', letters, id)
    reply[#reply + 1] = json
    reply[#reply + 1] = redis.call('HGET', errors, id)
  end
end
if last < #found then reply[1] = found[last] end
return reply
`,
);

/** ARGV: id, version, id, version, ... Replies with how many it removed. */
export const removeScript = script(
  'remove',
  `
local removed = 0
for index = 1, #ARGV, 2 do
  local meta = load(ARGV[index])
  if meta and meta.version == tonumber(ARGV[index + 1]) and not leased(meta) then
    remove(ARGV[index], meta)
    removed = removed + 1
  end
end
return removed
`,
);

/** Replies with {dead, claimed, parked, dropped, age of the oldest or nil}. It reads none but what expired: metrics ask for this again and again. */
export const statsScript = script(
  'stats',
  `
local counts = { claimed = redis.call('SCARD', claimed), parked = redis.call('ZCARD', parked) }
counts.dead = redis.call('ZCARD', due) - counts.claimed
for _, id in ipairs(redis.call('ZRANGEBYSCORE', expiry, '-inf', nowMs)) do
  local meta = load(id)
  if not leased(meta) then counts[meta.state] = counts[meta.state] - 1 end
end
local age, index = false, 0
local oldest = redis.call('ZRANGE', ids, index, index)[1]
while oldest and not age do
  local meta = load(oldest)
  if not expired(meta) then age = math.max(0, nowMs - meta.firstFailedAtMs) end
  index = index + 1
  oldest = redis.call('ZRANGE', ids, index, index)[1]
end
return { counts.dead, counts.claimed, counts.parked, tonumber(redis.call('HGET', counters, 'dropped') or '0'), age }
`,
);
