/**
 * The arithmetic of `../../../strategies` in Lua, formula by formula: Lua counts in doubles as well, so both give the same numbers.
 *
 * A strategy is what `packStrategy` makes: `{ kind, a, b, c, d, e }`. States are named as in TypeScript and kept as MessagePack, which keeps whole numbers
 * whole: a bucket as `{ debt, solid, held, at, since, weight }`, a window as `{ start, used }`, a sliding window as its list, slots as `{ active }`.
 */
export const strategies = `
local ceil, floor, max, min, fmod, huge = math.ceil, math.floor, math.max, math.min, math.fmod, math.huge
local BUCKET, CALENDAR, SLIDING, SLOTS = 1, 3, 4, 5
local most_debt, most_units = 4503599627370496, 9007199254740991

local function plus(parts, units, weight)
  if units > (most_debt - parts) / weight then return most_debt end
  return parts + units * weight
end

local function drain_to(state, drain, time)
  if time > state.at then
    local drained = (time - state.at) * drain
    state.debt = max(0, state.debt - drained)
    state.solid = max(0, state.solid - drained)
    state.at = time
  end
  if state.debt == 0 then state.solid, state.held, state.since = 0, 0, 0 end
end

local function open_window(strategy, state, now)
  local kind, _, period, anchored = unpack(strategy)
  local start, ends
  if kind == CALENDAR then
    local i = 5
    while i > 3 and strategy[i] > now do i = i - 1 end
    start, ends = strategy[i], strategy[i + 1]
  else
    if anchored == 0 then start = now - fmod(now, period)
    elseif state.used > 0 and now < state.start + period then start = state.start
    else start = now end
    ends = start + period
  end
  if state.used > 0 and state.start > start then
    ends = state.start + (ends - start)
  elseif state.start ~= start then
    state.start, state.used = start, 0
  end
  state.ends = ends
end

-- The state as it was written, in the weight of the strategy.
local function decode(strategy, packed)
  local kind = strategy[1]
  local list = packed and cmsgpack.unpack(packed)
  if kind == SLIDING then return list or {} end
  if kind == SLOTS then return { active = list and list[1] or 0 } end
  if kind ~= BUCKET then return { start = list and list[1] or 0, used = list and list[2] or 0 } end
  if not list then return { debt = 0, solid = 0, held = 0, at = 0, since = 0 } end
  local state = { debt = list[1], solid = list[2], held = list[3], at = list[4], since = list[5] }
  local from, to = list[6], strategy[2]
  if from ~= to then
    state.debt = plus(0, ceil(state.debt / from), to)
    state.solid = plus(0, ceil(state.solid / from), to)
    state.held = plus(0, ceil(state.held / from), to)
  end
  return state
end

-- The state at a time.
local function load(strategy, packed, now)
  local kind = strategy[1]
  local state = decode(strategy, packed)
  if kind == BUCKET then drain_to(state, strategy[3], now)
  elseif kind < SLIDING then open_window(strategy, state, now) end
  return state
end

local function encode(strategy, state)
  local kind = strategy[1]
  if kind == SLIDING then return cmsgpack.pack(state) end
  if kind == SLOTS then return cmsgpack.pack({ state.active }) end
  if kind ~= BUCKET then return cmsgpack.pack({ state.start, state.used }) end
  return cmsgpack.pack({ state.debt, state.solid, state.held, state.at, state.since, strategy[2] })
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

-- How long until the cost is accepted: 0 now, huge never.
local function wait_of(strategy, state, cost, max_wait, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == BUCKET then
    local weight, drain, burst, queue = limit, strategy[3], strategy[4], strategy[5]
    if cost > burst then return huge end
    local over = cost == 0 and 0 or state.debt - (burst - cost) * weight
    if over <= 0 then return 0 end
    local may_wait = queue == 0 and 0 or min(queue * weight, max_wait * drain)
    return over <= may_wait and 0 or ceil((over - may_wait) / drain)
  end
  if cost > limit then return huge end
  if cost == 0 then return 0 end
  if kind == SLOTS then return state.active + cost <= limit and 0 or 1000000 end
  if kind ~= SLIDING then return cost <= limit - state.used and 0 or state.ends - now end
  local over, free = used_in(strategy, state, now) - (limit - cost), now
  for i = first_live(strategy, state, now), #state, 2 do
    if over <= 0 then break end
    over = over - state[i + 1]
    free = state[i] + strategy[3]
  end
  return free - now
end

local function delay_of(strategy, state, cost)
  if strategy[1] ~= BUCKET or cost == 0 then return 0 end
  return max(0, ceil((state.debt - (strategy[4] - cost) * strategy[2]) / strategy[3]))
end

local function spend_sliding(strategy, state, cost, now)
  local resolution = strategy[4]
  local time = max(now - fmod(now, resolution) + resolution - 1, state[#state - 1] or 0)
  if cost == 0 then return time end
  local units = min(cost, most_units - used_in(strategy, state, now))
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

-- Adds a cost for good. Returns its mark.
local function spend(strategy, state, cost, now)
  local kind = strategy[1]
  if kind == BUCKET then
    if cost == 0 then return 0 end
    if state.debt == 0 then state.since = state.at end
    state.debt = plus(state.debt, cost, strategy[2])
    state.solid = plus(state.solid, cost, strategy[2])
    return 0
  elseif kind == SLIDING then
    return spend_sliding(strategy, state, cost, now)
  elseif kind == SLOTS then
    return 0
  end
  state.used = min(most_units, state.used + cost)
  return state.start
end

local function tail(strategy, state) return state.at + ceil(state.debt / strategy[3]) end

-- Adds a cost that will be settled. Returns its mark.
local function hold(strategy, state, cost, now)
  local kind, weight = strategy[1], strategy[2]
  if kind == SLOTS then
    state.active = state.active + cost
    return 0
  elseif kind ~= BUCKET then
    return spend(strategy, state, cost, now)
  end
  local held = plus(state.held, cost, weight)
  if strategy[5] > 0 or held == most_debt then
    spend(strategy, state, cost, now)
    return strategy[5] > 0 and tail(strategy, state) or 0
  end
  if state.debt == 0 and cost > 0 then state.since = state.at end
  state.debt = plus(state.debt, cost, weight)
  if cost > 0 then state.held = held end
  return state.since
end

-- Replaces what was held by what was used.
local function settle(strategy, state, held, mark, used, now)
  local kind, weight = strategy[1], strategy[2]
  if kind == SLOTS then
    state.active = max(0, state.active - held)
  elseif kind == BUCKET then
    local excess = max(0, used - held)
    if strategy[5] > 0 then
      if used < held and tail(strategy, state) == mark then
        state.debt = max(0, state.debt - (held - used) * weight)
        state.solid = max(0, state.solid - (held - used) * weight)
      else
        spend(strategy, state, excess, now)
      end
    elseif mark == 0 or mark ~= state.since then
      spend(strategy, state, excess, now)
    else
      state.held = max(0, state.held - held * weight)
      state.solid = plus(state.solid, used, weight)
      state.debt = min(plus(state.debt, excess, weight), state.solid + state.held)
      state.solid = min(state.solid, state.debt)
    end
  elseif used > held then
    spend(strategy, state, used - held, now)
  elseif kind == SLIDING then
    for i = #state - 1, 1, -2 do
      if state[i] == mark then
        local left = max(0, state[i + 1] - (held - used))
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
    state.used = max(0, state.used - (held - used))
  end
end

local function remaining_of(strategy, state, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == BUCKET then return max(0, floor((strategy[4] * limit - state.debt) / limit)) end
  if kind == SLOTS then return max(0, limit - state.active) end
  if kind == SLIDING then return max(0, limit - used_in(strategy, state, now)) end
  return max(0, limit - state.used)
end

local function reset_of(strategy, state, now)
  local kind = strategy[1]
  if kind == BUCKET then return ceil(state.debt / strategy[3]) end
  if kind == SLOTS then return state.active == 0 and 0 or 1000000 end
  if kind == SLIDING then return #state == 0 and 0 or max(0, state[#state - 1] + strategy[3] - now) end
  return state.used == 0 and 0 or state.ends - now
end

local function over_of(strategy, state, now)
  local kind, limit = strategy[1], strategy[2]
  if kind == BUCKET then return max(0, ceil((state.debt - strategy[4] * limit) / limit)) end
  if kind == SLOTS then return 0 end
  if kind == SLIDING then return max(0, used_in(strategy, state, now) - limit) end
  return max(0, state.used - limit)
end
`;
