-- A running task says what it has spent so far and what its next turn may take.
-- KEYS: reservations, ledger of the month, leases
-- ARGV: task, scopes (JSON: see _budgets), places (JSON list: all it is summed up under), spent and
--       wanted (JSON: {usd, turns, s}; wanted includes spent)
-- Returns {1}, or {0, number of the scope that has not that much any more, unit}: then only what was
-- spent is kept for it, and nothing else begins on that ceiling.
local scopes, places = cjson.decode(ARGV[2]), cjson.decode(ARGV[3])
local spent, wanted = cjson.decode(ARGV[4]), cjson.decode(ARGV[5])
reserve(KEYS[1], ARGV[1], places, spent)
for number, scope in ipairs(scopes) do
  local room, _, why = left_of({scope}, ARGV[1], KEYS[2], KEYS[1], KEYS[3], false)
  for _, unit in ipairs({'usd', 'turns', 's'}) do
    local most = tonumber(scope[unit]) or 0
    local free = why and 0 or room[unit]
    if most > 0 and (free or 0) < wanted[unit] then
      redis.call('HSET', KEYS[2], 'full:' .. scope.place .. ':' .. unit, most)
      return {0, number, unit}
    end
  end
end
reserve(KEYS[1], ARGV[1], places, wanted)
return {1}
