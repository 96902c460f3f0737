import { defineScript } from '@sage-adk/core/redis';

/**
 * KEYS: the day, the batch. ARGV: how long the batch is remembered and the day kept, in ms; then field, amount, field, amount.
 *
 * Redis takes nothing back by itself: a key that is no hash fails before anything is written, and where one amount cannot be added, the script puts back what was there
 * and forgets the batch.
 */
export const addScript = defineScript({
  name: 'usage-add',
  numberOfKeys: 2,
  lua: `
redis.call('HLEN', KEYS[1])
if not redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
local before = {}
for i = 3, #ARGV, 2 do
  before[i] = redis.call('HGET', KEYS[1], ARGV[i])
  local sum = redis.pcall('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1])
  if type(sum) == 'table' then
    for j = i - 2, 3, -2 do
      if before[j] then redis.call('HSET', KEYS[1], ARGV[j], before[j]) else redis.call('HDEL', KEYS[1], ARGV[j]) end
    end
    redis.call('DEL', KEYS[2])
    return sum
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`,
});

/** KEYS: the day. ARGV: cursor, how many. */
export const scanScript = defineScript({
  name: 'usage-scan',
  numberOfKeys: 1,
  lua: `return redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])`,
});

/** KEYS: the day. */
export const dropScript = defineScript({
  name: 'usage-drop',
  numberOfKeys: 1,
  lua: `return redis.call('UNLINK', KEYS[1])`,
});
