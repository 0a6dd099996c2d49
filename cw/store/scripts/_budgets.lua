-- How much of the ceilings that it shares one task's run may have. Before the scripts that ask.
-- scopes: list of {place, usd, turns, s}, 0 or none: no ceiling; of the ledger, the reservations and
--         the leases: their keys
-- marked: whether a ceiling that was met once is still met by what is left of it
-- Returns {usd, turns, s} (nil where nothing limits) and how much of it a run is given before it has
-- said what a turn takes; or nil, the number of the scope, 'spent' when that is all used up, 'reserved'
-- when running tasks may still use it.
local function left_of(scopes, task, ledger, reserved, leases, marked)
  local others, room, first = {}, {}, {}
  local rows = #scopes > 0 and redis.call('HGETALL', reserved) or {}
  for i = 1, #rows, 2 do
    local read, one = pcall(cjson.decode, rows[i + 1])
    if not read or type(one) ~= 'table' or type(one.places) ~= 'table'
        or not redis.call('ZSCORE', leases, rows[i]) then
      if rows[i] ~= task then
        redis.call('HDEL', reserved, rows[i])  -- its run is over
      end
    elseif rows[i] ~= task then
      for _, place in ipairs(one.places) do
        for _, unit in ipairs({'usd', 'turns', 's'}) do
          local name = place .. ':' .. unit
          others[name] = (others[name] or 0) + (tonumber(one[unit]) or 0)
        end
      end
    end
  end
  for number, scope in ipairs(scopes) do
    for _, unit in ipairs({'usd', 'turns', 's'}) do
      local most = tonumber(scope[unit]) or 0
      if most > 0 then
        local name = scope.place .. ':' .. unit
        local found = redis.call('HMGET', ledger, name, 'full:' .. name)
        local left = most - (tonumber(found[1]) or 0)
        if left <= 0 or (marked and (tonumber(found[2]) or 0) >= most) then
          redis.call('HSET', ledger, 'full:' .. name, most)
          return nil, number, 'spent'
        end
        left = left - (others[name] or 0)
        if left <= 0 then
          return nil, number, 'reserved'
        end
        local share = unit == 'turns' and math.max(1, math.floor(most / 20)) or most / 20
        if marked and left < share - 1e-9 and (others[name] or 0) > 0 then
          return nil, number, 'reserved'  -- the rest is for those that are at work
        end
        room[unit] = math.min(room[unit] or left, left)
        first[unit] = math.min(first[unit] or share, share, left)
      end
    end
  end
  return room, first
end

-- Write down what a run may have: {usd, turns, s}.
local function reserve(reserved, task, places, amount)
  redis.call('HSET', reserved, task, cjson.encode({
    places = places, usd = amount.usd or 0, turns = amount.turns or 0, s = amount.s or 0}))
end

-- Something was begun: ceilings of these places that were met were raised since, or taken away.
local function reopen(ledger, places)
  for _, place in ipairs(places) do
    for _, unit in ipairs({'usd', 'turns', 's'}) do
      redis.call('HDEL', ledger, 'full:' .. place .. ':' .. unit)
    end
  end
end
