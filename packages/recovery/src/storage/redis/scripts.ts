import { defineScript } from '@sage-adk/core/redis';

// KEYS of all: the entry {version, json}, the index of keys, the times at which keys end, the last version. ARGV[1] is the key as the index has it.
// The entry ends by Redis' own expiry; what the indexes say of it is removed by later writes.
const shared = `
local time = redis.call('TIME')
local nowMs = math.floor(time[1] * 1000 + time[2] / 1000)
local function prune()
  local ended = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', '(' .. nowMs, 'LIMIT', 0, 32)
  for _, key in ipairs(ended) do
    redis.call('ZREM', KEYS[2], key)
    redis.call('ZREM', KEYS[3], key)
  end
end
`;

/** ARGV: key, JSON, lifetime in ms or '', '' or 'absent' or 'version', the version. Replies with the new version, or nil. */
export const setScript = defineScript({
  name: 'storage.set',
  numberOfKeys: 4,
  lua: `${shared}
local found = redis.call('HGET', KEYS[1], 'version')
if ARGV[4] == 'absent' and found then return false end
if ARGV[4] == 'version' and found ~= ARGV[5] then return false end
prune()
-- At least the time in microseconds, so that a counter that was lost in a flush or failover gives no version twice.
local last = tonumber(redis.call('GET', KEYS[4]) or '0')
local version = string.format('%.0f', math.max(last + 1, time[1] * 1000000 + time[2]))
redis.call('SET', KEYS[4], version)
redis.call('HSET', KEYS[1], 'version', version, 'json', ARGV[2])
redis.call('ZADD', KEYS[2], 0, ARGV[1])
if ARGV[3] == '' then
  redis.call('PERSIST', KEYS[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  local endsMs = nowMs + tonumber(ARGV[3])
  redis.call('PEXPIREAT', KEYS[1], endsMs)
  redis.call('ZADD', KEYS[3], endsMs, ARGV[1])
end
return version
`,
});

/** Replies with {version, JSON}, or two nils. */
export const getScript = defineScript({
  name: 'storage.get',
  numberOfKeys: 4,
  lua: `return redis.call('HMGET', KEYS[1], 'version', 'json')`,
});

/** Replies with 1 where there was an entry. */
export const deleteScript = defineScript({
  name: 'storage.delete',
  numberOfKeys: 4,
  lua: `${shared}
prune()
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return redis.call('DEL', KEYS[1])
`,
});

/** KEYS: index, endings. ARGV: prefix, where to go on or '', limit. Replies with {last key looked at, or nil where no other follows, keys}. */
export const listScript = defineScript({
  name: 'storage.list',
  numberOfKeys: 2,
  lua: `
local time = redis.call('TIME')
local nowMs = math.floor(time[1] * 1000 + time[2] / 1000)
local from = '[' .. (ARGV[2] == '' and ARGV[1] or ARGV[2])
-- No UTF-8 text has the byte 255.
local limit = tonumber(ARGV[3])
local keys = redis.call('ZRANGEBYLEX', KEYS[1], from, '[' .. ARGV[1] .. '\\255', 'LIMIT', 0, limit + 1)
local live = {}
for index = 1, math.min(limit, #keys) do
  local endsMs = redis.call('ZSCORE', KEYS[2], keys[index])
  if not endsMs or tonumber(endsMs) >= nowMs then live[#live + 1] = keys[index] end
end
return { #keys > limit and keys[limit], live }
`,
});
