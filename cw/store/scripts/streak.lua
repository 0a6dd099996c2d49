-- A task ended: its repository, its worker and its account have one more of the same failures in a row,
-- or, after it succeeded, none.
-- KEYS: a streak of each
-- ARGV: reason, or '' when it succeeded; task; what is kept of it (JSON); of how many tasks; for how many ms
-- Another reason begins anew. A task counts once, however often its host says so.
-- Returns the failures of each streak (JSON).
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = '[]'
  if ARGV[1] == '' then
    redis.call('DEL', key)
  else
    local read, streak = pcall(cjson.decode, redis.call('GET', key) or 'null')
    local kept = {}
    if read and type(streak) == 'table' and streak.reason == ARGV[1] and type(streak.failures) == 'table' then
      for _, one in ipairs(streak.failures) do
        if type(one) == 'table' and one.task ~= ARGV[2] then
          kept[#kept + 1] = one
        end
      end
    end
    kept[#kept + 1] = cjson.decode(ARGV[3])
    while #kept > tonumber(ARGV[4]) do
      table.remove(kept, 1)
    end
    redis.call('SET', key, cjson.encode({reason = ARGV[1], failures = kept}), 'PX', ARGV[5])
    found[i] = cjson.encode(kept)
  end
end
return found
