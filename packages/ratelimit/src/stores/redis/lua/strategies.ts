/**
 * The arithmetic of `../../../strategies` in Lua, formula by formula: Lua counts in doubles as well, so both give the same numbers.
 *
 * A strategy is what `packStrategy` makes: `{ kind, a, b, c, d, e }`, without what means nothing for its kind. States are named as in TypeScript and kept as doubles in a row: a bucket as its
 * fields, a window as start and used, slots as active; a sliding window's list as MessagePack, which keeps whole numbers whole.
 *
 * Numbers stand in the text and functions of `math` go by their full names: each local that a function captures costs every call an allocation.
 */
import { mostDebt } from '../../../strategies/bucket.ts';
import { packedKinds } from '../../../strategies/strategy.ts';
import { mostUnits } from '../../../strategies/window.ts';

const { bucket, calendar, sliding, slots } = packedKinds;

/** What is kept of a bucket; `from` is the weight that the parts are of, and the hash is kept until `kept` at least. */
const bucketFields = 'debt, solid, held, at, since, from, kept';

export const readBucket = `
local ${bucketFields} = 0, 0, 0, 0, 0, weight, 0
if packed then ${bucketFields} = struct.unpack('>ddddddd', packed) end`;

export const packBucket = `struct.pack('>ddddddd', debt, solid, held, at, since, from, till)`;

/** Lets time pass over what {@link readBucket} has set, in a bucket of `weight` and `drain`. */
export const drainBucket = `
if now > at then
  local drained = (now - at) * drain
  debt, solid, at = math.max(0, debt - drained), math.max(0, solid - drained), now
end
if debt == 0 then solid, held, since = 0, 0, 0 end`;

export const packWindow = `struct.pack('>dd', start, used)`;

export const readWindow = `
local start, used = 0, 0
if packed then start, used = struct.unpack('>dd', packed) end`;

/** Sets `first` and `ends` to where a window of `period` lies, whose state {@link readWindow} has set. */
export const spanOf = `
if anchored == 0 then first = now - math.fmod(now, period)
elseif used > 0 and now < start + period then first = start
else first = now end
ends = first + period`;

/** Moves `first` and `ends` on to now where the boundaries of a calendar end before. */
export const moveOn = `
if now >= ends then
  local length = ends - first
  first = now - math.fmod(now - first, length)
  ends = first + length
end`;

/** Moves the state to the window of now, from `first` to `ends`. */
export const openWindow = `
if used > 0 and start > first then ends = start + (ends - first)
elseif start ~= first then start, used = first, 0 end`;

export const strategies = `
local function plus(parts, units, weight)
  if units > (${mostDebt} - parts) / weight then return ${mostDebt} end
  return parts + units * weight
end

local function reweigh(parts, from, weight)
  local rest = math.fmod(parts, from)
  return plus(math.min(weight, math.ceil(rest / from * weight)), (parts - rest) / from, weight)
end

-- The state at a time, in the weight of the strategy.
local function load(strategy, packed, now)
  local kind = strategy[1]
  if kind == ${sliding} then return packed and cmsgpack.unpack(packed) or {} end
  if kind == ${slots} then return { active = packed and struct.unpack('>d', packed) or 0 } end
  if kind == ${bucket} then
    local weight, drain = strategy[2], strategy[3]
    ${readBucket}
    if from ~= weight then
      debt, solid, held = reweigh(debt, from, weight), reweigh(solid, from, weight), reweigh(held, from, weight)
    end
    ${drainBucket}
    return { debt = debt, solid = solid, held = held, at = at, since = since }
  end
  ${readWindow}
  local first, ends
  if kind == ${calendar} then
    local i = 5
    while i > 3 and strategy[i] > now do i = i - 1 end
    first, ends = strategy[i], strategy[i + 1]
    ${moveOn}
  else
    local period, anchored = strategy[3], strategy[4]
    ${spanOf}
  end
  ${openWindow}
  return { start = start, used = used, ends = ends }
end

local function first_live(strategy, state, now)
  local i = 1
  while i < #state and now - state[i] >= strategy[3] do i = i + 2 end
  return i
end

local function used_in(strategy, state, now)
  local used = 0
  for i = first_live(strategy, state, now), #state, 2 do used = used + state[i + 1] end
  return used
end

-- How long until the cost is accepted: 0 now, math.huge never.
local function wait_of(strategy, state, cost, max_wait, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == ${bucket} then
    local weight, drain, burst, queue = limit, strategy[3], strategy[4], strategy[5]
    if cost > burst then return math.huge end
    local over = cost == 0 and 0 or state.debt - (burst - cost) * weight
    if over <= 0 then return 0 end
    local may_wait = queue == 0 and 0 or math.min(queue * weight, max_wait * drain)
    return over <= may_wait and 0 or math.ceil((over - may_wait) / drain)
  end
  if cost > limit then return math.huge end
  if cost == 0 then return 0 end
  if kind == ${slots} then return state.active + cost <= limit and 0 or 1000000 end
  if kind ~= ${sliding} then return cost <= limit - state.used and 0 or state.ends - now end
  local over, free = used_in(strategy, state, now) - (limit - cost), now
  for i = first_live(strategy, state, now), #state, 2 do
    if over <= 0 then break end
    over = over - state[i + 1]
    free = state[i] + strategy[3]
  end
  return free - now
end

-- Adds a cost for good. Returns its mark.
local function spend(strategy, state, cost, now)
  local kind = strategy[1]
  if kind == ${bucket} then
    if cost == 0 then return 0 end
    if state.debt == 0 then state.since = state.at end
    state.debt = plus(state.debt, cost, strategy[2])
    state.solid = plus(state.solid, cost, strategy[2])
    return 0
  elseif kind == ${sliding} then
    local function spend_sliding(strategy, state, cost, now)
      local resolution = strategy[4]
      local time = math.max(now - math.fmod(now, resolution) + resolution - 1, state[#state - 1] or 0)
      if cost == 0 then return time end
      local units = math.min(cost, ${mostUnits} - used_in(strategy, state, now))
      local live = first_live(strategy, state, now)
      if live > 1 then
        local size = #state
        for i = live, size do state[i - live + 1] = state[i] end
        for i = size, size - live + 2, -1 do state[i] = nil end
      end
      local size = #state
      if size > 0 and (state[size - 1] == time or size >= 512) then
        state[size - 1] = time
        state[size] = state[size] + units
      elseif units > 0 then
        state[size + 1], state[size + 2] = time, units
      end
      return time
    end
    return spend_sliding(strategy, state, cost, now)
  elseif kind == ${slots} then
    return 0
  end
  state.used = math.min(${mostUnits}, state.used + cost)
  return state.start
end

local function remaining_of(strategy, state, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == ${bucket} then return math.max(0, math.floor((strategy[4] * limit - state.debt) / limit)) end
  if kind == ${slots} then return math.max(0, limit - state.active) end
  if kind == ${sliding} then return math.max(0, limit - used_in(strategy, state, now)) end
  return math.max(0, limit - state.used)
end

local function reset_of(strategy, state, now)
  local kind = strategy[1]
  if kind == ${bucket} then return math.ceil(state.debt / strategy[3]) end
  if kind == ${slots} then return state.active == 0 and 0 or 1000000 end
  if kind == ${sliding} then return #state == 0 and 0 or math.max(0, state[#state - 1] + strategy[3] - now) end
  return state.used == 0 and 0 or state.ends - now
end

`;

/** What reservations need beside {@link strategies}. */
export const holding = `
local function tail(strategy, state) return state.at + math.ceil(state.debt / strategy[3]) end

local function delay_of(strategy, state, cost)
  if strategy[1] ~= ${bucket} or cost == 0 then return 0 end
  return math.max(0, math.ceil((state.debt - (strategy[4] - cost) * strategy[2]) / strategy[3]))
end

-- What is left of that for what is held under a mark.
local function delay_left(strategy, held, mark, now)
  if strategy[1] ~= ${bucket} or strategy[5] == 0 or held == 0 then return 0 end
  return math.max(0, mark - math.floor(strategy[4] * strategy[2] / strategy[3]) - now)
end

-- Adds a cost that will be settled. Returns its mark.
local function hold(strategy, state, cost, now)
  local kind, weight = strategy[1], strategy[2]
  if kind == ${slots} then
    state.active = state.active + cost
    return 0
  elseif kind ~= ${bucket} then
    return spend(strategy, state, cost, now)
  end
  local held = plus(state.held, cost, weight)
  if strategy[5] > 0 or held == ${mostDebt} then
    spend(strategy, state, cost, now)
    return strategy[5] > 0 and tail(strategy, state) or 0
  end
  if state.debt == 0 and cost > 0 then state.since = state.at end
  state.debt = plus(state.debt, cost, weight)
  if cost > 0 then state.held = held end
  return state.since
end
`;

/** What settlements need beside {@link strategies}. */
export const settling = `
local function tail(strategy, state) return state.at + math.ceil(state.debt / strategy[3]) end

-- Replaces what was held by what was used.
local function settle(strategy, state, held, mark, used, now)
  local kind, weight = strategy[1], strategy[2]
  if kind == ${slots} then
    state.active = math.max(0, state.active - held)
  elseif kind == ${bucket} then
    local excess = math.max(0, used - held)
    if strategy[5] > 0 then
      if used < held and tail(strategy, state) == mark then
        state.debt = math.max(0, state.debt - (held - used) * weight)
        state.solid = math.max(0, state.solid - (held - used) * weight)
      else
        spend(strategy, state, excess, now)
      end
    elseif mark == 0 or mark ~= state.since then
      spend(strategy, state, excess, now)
    else
      state.held = math.max(0, state.held - held * weight)
      state.solid = plus(state.solid, used, weight)
      state.debt = math.min(plus(state.debt, excess, weight), state.solid + state.held)
      state.solid = math.min(state.solid, state.debt)
    end
  elseif used > held then
    spend(strategy, state, used - held, now)
  elseif kind == ${sliding} then
    for i = #state - 1, 1, -2 do
      if state[i] == mark then
        local left = math.max(0, state[i + 1] - (held - used))
        if left == 0 then
          table.remove(state, i)
          table.remove(state, i)
        else
          state[i + 1] = left
        end
        return
      end
    end
  elseif mark == state.start then
    state.used = math.max(0, state.used - (held - used))
  end
end

local function over_of(strategy, state, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == ${bucket} then return math.max(0, math.ceil((state.debt - strategy[4] * limit) / limit)) end
  if kind == ${slots} then return 0 end
  if kind == ${sliding} then return math.max(0, used_in(strategy, state, now) - limit) end
  return math.max(0, state.used - limit)
end
`;
