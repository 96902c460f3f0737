import { defineScript } from '@sage-adk/core/redis';
import { packedKinds } from '../../../strategies/strategy.ts';
import { widths } from '../requests.ts';
import { clock } from './places.ts';
import {
  drainBucket,
  moveOn,
  openWindow,
  packBucket,
  packWindow,
  readBucket,
  readWindow,
  spanOf,
} from './strategies.ts';

const { bucket, window } = packedKinds;

/**
 * Decides the ask `n` whose rule's code and numbers begin at i, and whose state is `packed`, and steps over it. Sets `plain` to false where it cannot tell; else
 * `wait`, `remaining`, `reset`, and `state` where the ask fits and costs something.
 *
 * @param keep makes sure that the hash is kept long enough for what was charged, and sets `till`.
 */
function decideAsk(keep: { readonly bucket: string; readonly window: string }): string {
  return `
local wait, cost, limit, remaining, reset, state = 0, ARGV[arg + n] + 0, numbers[i + 1], 0, 0, false
local strategy = code % 8
if strategy == ${bucket} then
  local weight, drain, burst = limit, numbers[i + 2], numbers[i + 3]
  i = i + ${widths.bucket}
  ${readBucket}
  if from ~= weight then plain = false end
  ${drainBucket}
  local over = debt - (burst - cost) * weight
  if over > 0 and cost > 0 then
    wait = cost > burst and -1 or math.ceil(over / drain)
  elseif spends and plain and cost > 0 then
    if debt == 0 then since = at end
    debt, solid = debt + cost * weight, solid + cost * weight
    reset = math.ceil(debt / drain)
    ${keep.bucket}
    state = ${packBucket}
  end
  remaining, reset = math.floor((burst * weight - debt) / weight), math.ceil(debt / drain)
else
  ${readWindow}
  local first, ends
  if strategy == ${window} then
    local period, anchored = numbers[i + 2], code < 32 and 0 or 1
    i = i + ${widths.window}
    ${spanOf}
  else
    local b = i + 4
    while b > i + 2 and numbers[b] > now do b = b - 1 end
    first, ends = numbers[b], numbers[b + 1]
    ${moveOn}
    i = i + ${widths.calendar}
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
end
if remaining < 0 then remaining = 0 end`;
}

const keepUntil = `
  local known, expiry = redis.call('HGET', KEYS[key + 1], '~'), 0
  till = 0
  if known then till, expiry = struct.unpack('>dd', known) end
  if now + reset > till then
    till = now + reset + math.max(1000000, math.min(60000000, reset))
    redis.call('HSET', KEYS[key + 1], '~', struct.pack('>dd', till, expiry))
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

/** Makes of each set of rules its places, each the fields to read (`~` first) and the numbers of its rules: what is read once need not be read for every check. */
const readSets = `
local sets, arg = {}, 3
for s = 1, ARGV[2] + 0 do
  local places, asks = {}, 0
  local count = ARGV[arg] + 0
  arg = arg + 1
  for p = 1, count do
    local fields, numbers = { '~' }, {}
    local rules, size = ARGV[arg] + 0, ARGV[arg + 1] + 0
    arg = arg + 1
    for n = 1, rules do fields[n + 1] = ARGV[arg + n] end
    arg = arg + rules
    for n = 1, size do numbers[n] = ARGV[arg + n] + 0 end
    arg = arg + size + 1
    asks = asks + rules
    places[p] = { rules, fields, numbers }
  end
  -- One ask, to which no end of a reservation can give anything back.
  local alone = asks == 1 and places[1][3][1] % 32 < 16 and places[1][2][2]
  sets[s] = { places, asks, alone }
end
`;

const decideAlone = `
    local n, i, numbers, lasts = 1, 1, places[1][3], false
    local code, packed = numbers[1], redis.pcall('HGET', KEYS[key + 1], alone)
    if type(packed) == 'table' then
      plain = false
    else
      ${decideAsk(alone)}
      if state then
        redis.call('HSET', KEYS[key + 1], alone, state)
        if lasts then redis.call('PEXPIRE', KEYS[key + 1], lasts) end
        reply = { remaining, reset }
      elseif plain then
        reply = { (wait == 0 or code % 16 < 8) and 1 or 0, 0, 0, wait, remaining, reset }
      end
    end
`;

/** As if all fit, and once more where they don't. */
const decideAll = `
    local fits, allowed, read = true, 1, {}
    while plain and not reply do
      local wrote, lasts, found = {}, {}, fits and {} or { allowed, 0, 0 }
      local n, size, again = 0, #found, false
      for p = 1, #places do
        local place, values = places[p], read[p]
        local fields, numbers = place[2], place[3]
        if not values then
          values = redis.pcall('HMGET', KEYS[key + p], unpack(fields))
          read[p] = values
        end
        local till, expiry = 0, 0
        if values.err then plain = false
        elseif values[1] then till, expiry = struct.unpack('>dd', values[1]) end
        if expiry > 0 and expiry <= now then plain = false end
        if not plain then break end
        local writes, last, needed, i = {}, 0, 0, 1
        for r = 1, place[1] do
          n = n + 1
          local code, packed = numbers[i], values[r + 1]
          ${decideAsk(amongOthers)}
          if not plain then break end
          if state then
            last = last + 2
            writes[last - 1], writes[last] = fields[r + 1], state
            if now + reset > needed then needed = now + reset end
          elseif wait ~= 0 then
            again = true
            if code % 16 >= 8 then allowed = 0 end
          end
          if not fits then
            size = size + 1
            found[size] = wait
          end
          found[size + 1], found[size + 2] = remaining, reset
          size = size + 2
        end
        if not plain then break end
        if needed > till then
          till = needed + math.max(1000000, math.min(60000000, needed - now))
          writes[last + 1], writes[last + 2] = '~', struct.pack('>dd', till, expiry)
          lasts[p] = math.ceil((till - now) / 1000)
        end
        wrote[p] = writes
      end
      if plain then
        if not again or not fits then
          for p = 1, #places do
            if wrote[p][1] then redis.call('HSET', KEYS[key + p], unpack(wrote[p])) end
            if lasts[p] then redis.call('PEXPIRE', KEYS[key + p], lasts[p]) end
          end
          reply = found
        end
        fits, spends = false, spends and allowed == 1
      end
    end
`;

/**
 * Checks of buckets and windows, which are most of what a server is asked, many in one call: without a function, and without a table that is not sent or stored.
 * KEYS: the hash of each place of each check. Says: the sets of rules that checks are about, as `packSet` makes them; then for each check twice the number of
 * its set, less one where it only looks, and its costs. One after the other they are decided, each as if it were alone.
 *
 * Reply: for each check what remains and when it resets, of each ask, where all fit; else allowed, 0, 0, and for each ask its wait (-1 for never), what remains and
 * when it resets. Nothing at all, and nothing is written, where a check meets what needs more (a reservation to settle, a bucket of another weight, a key
 * that is no hash): {@link decideScript} is for that.
 */
export const checkScript = defineScript({
  name: 'limiter.check',
  lua: `${clock}
local ARGV, KEYS, unpack, struct, math, redis, type = ARGV, KEYS, unpack, struct, math, redis, type
${readSets}
local replies, key = {}, 0
for check = 1, 1000000 do
  local head = ARGV[arg]
  if not head then break end
  local set = sets[math.ceil(head / 2)]
  local places, alone = set[1], set[3]
  local plain, spends, reply = true, head % 2 == 0, false
  if alone then
${decideAlone}
  else
${decideAll}
  end
  replies[check] = reply or {}
  key, arg = key + #places, arg + set[2] + 1
end
return replies`,
});
