import { packedKinds } from '../../../strategies/strategy.ts';
import { widths } from '../requests.ts';
import { drainBucket, openWindow, packBucket, packWindow, readBucket, readWindow, spanOf } from './strategies.ts';

const { bucket, calendar, window } = packedKinds;

/**
 * Decides the ask at i, whose state is `packed`, and steps over it. Sets `plain` to false where it cannot tell; else `wait`, `remaining`, `reset`, and `state` where
 * the ask fits and costs something.
 *
 * @param keep makes sure that the hash is kept long enough for what was charged, and sets `till`.
 */
function decideAsk(keep: { readonly bucket: string; readonly window: string }): string {
  return `
local wait, cost, limit, remaining, reset, state = 0, ARGV[i + 1] + 0, ARGV[i + 2] + 0, 0, 0, false
local strategy = code % 8
if strategy == ${bucket} then
  local weight, drain, burst = limit, ARGV[i + 3] + 0, ARGV[i + 4] + 0
  i = i + ${widths.bucket + 1}
  ${readBucket}
  if from ~= weight then plain = false end
  ${drainBucket}
  local over = debt - (burst - cost) * weight
  if over > 0 and cost > 0 then
    wait = cost > burst and -1 or math.ceil(over / drain)
  elseif spends and cost > 0 then
    if debt == 0 then since = at end
    debt, solid = debt + cost * weight, solid + cost * weight
    reset = math.ceil(debt / drain)
    ${keep.bucket}
    state = ${packBucket}
  end
  remaining, reset = math.floor((burst * weight - debt) / weight), math.ceil(debt / drain)
elseif strategy == ${window} or strategy == ${calendar} then
  ${readWindow}
  local first, ends
  if strategy == ${window} then
    local period, anchored = ARGV[i + 3] + 0, code < 32 and 0 or 1
    i = i + ${widths.window + 1}
    ${spanOf}
  else
    local b = i + 5
    while b > i + 3 and ARGV[b] + 0 > now do b = b - 1 end
    first, ends = ARGV[b] + 0, ARGV[b + 1] + 0
    i = i + ${widths.calendar + 1}
  end
  ${openWindow}
  if cost > limit - used and cost > 0 then
    wait = cost > limit and -1 or ends - now
  elseif spends and cost > 0 then
    used = used + cost
    reset = ends - now
    ${keep.window}
    state = ${packWindow}
  end
  remaining = limit - used
  if used > 0 then reset = ends - now end
else plain = false end
if remaining < 0 then remaining = 0 end`;
}

const keepUntil = `
  local known, expiry = redis.call('HGET', KEYS[1], '~'), 0
  till = 0
  if known then till, expiry = struct.unpack('>dd', known) end
  if now + reset > till then
    till = now + reset + math.max(1000000, math.min(60000000, reset))
    redis.call('HSET', KEYS[1], '~', struct.pack('>dd', till, expiry))
    lasts = math.ceil((till - now) / 1000)
  end
`;

/** How long the hash is kept is looked up only where it may be too short: not within a window, and not where a bucket remembers it. */
const alone = {
  bucket: `local till = kept if now + reset > till then ${keepUntil} end`,
  window: `local till if used == cost then ${keepUntil} end`,
};

/** The place of the ask is kept afterwards. */
const amongOthers = { bucket: '', window: '' };

/**
 * Checks of buckets and windows, which are most of what a server is asked: without a function, and without a table that is not sent or stored. What it meets that
 * is anything else (a sliding window, slots, a reservation to settle, a bucket of another weight) it leaves to the rest of the script, having written nothing.
 * The reply is shorter where all asks fit: for each what remains and when it resets.
 */
export const plainChecks = `
if (kind == 'consume' or kind == 'peek') and #ARGV < 1000 then
  local ARGV, KEYS, unpack, struct, math, redis = ARGV, KEYS, unpack, struct, math, redis
  local plain, spends = true, kind == 'consume'

  -- One ask, to which no end of a reservation can give anything back.
  if ARGV[3] == '1' and not KEYS[3] and ARGV[5] % 32 < 16 then
    local code, i, packed, lasts = ARGV[5] + 0, 5, redis.call('HGET', KEYS[1], ARGV[4]), false
    ${decideAsk(alone)}
    if state then
      redis.call('HSET', KEYS[1], ARGV[4], state)
      if lasts then redis.call('PEXPIRE', KEYS[1], lasts) end
      return { remaining, reset }
    end
    if plain then return { (wait == 0 or code % 16 < 8) and 1 or 0, 0, 0, wait, remaining, reset } end
  end

  -- As if all fit, and once more where they don't.
  local fits, allowed, read = true, 1, {}
  while plain do
    local wrote, lasts, reply = {}, {}, fits and {} or { allowed, 0, 0 }
    local i, size, again = 3, #reply, false
    for k = 1, #KEYS, 2 do
      local count, values = ARGV[i] + 0, read[k]
      if not values then
        values = redis.call('HMGET', KEYS[k], '~', unpack(ARGV, i + 1, i + count))
        read[k] = values
      end
      local till, expiry = 0, 0
      if values[1] then till, expiry = struct.unpack('>dd', values[1]) end
      if expiry > 0 and expiry <= now then plain = false end
      local writes, last, needed, rule = {}, 0, 0, i
      i = i + count + 1
      for n = 1, count do
        local code, packed = ARGV[i] + 0, values[n + 1]
        ${decideAsk(amongOthers)}
        if not plain then break end
        if state then
          last = last + 2
          writes[last - 1], writes[last] = ARGV[rule + n], state
          if now + reset > needed then needed = now + reset end
        elseif wait ~= 0 then
          again = true
          if code % 16 >= 8 then allowed = 0 end
        end
        if not fits then
          size = size + 1
          reply[size] = wait
        end
        reply[size + 1], reply[size + 2] = remaining, reset
        size = size + 2
      end
      if not plain then break end
      if needed > till then
        till = needed + math.max(1000000, math.min(60000000, needed - now))
        writes[last + 1], writes[last + 2] = '~', struct.pack('>dd', till, expiry)
        lasts[k] = math.ceil((till - now) / 1000)
      end
      wrote[k] = writes
    end
    if not plain then break end
    if not again or not fits then
      for k = 1, #KEYS, 2 do
        if wrote[k][1] then redis.call('HSET', KEYS[k], unpack(wrote[k])) end
        if lasts[k] then redis.call('PEXPIRE', KEYS[k], lasts[k]) end
      end
      return reply
    end
    fits, spends = false, spends and allowed == 1
  end
end
`;
