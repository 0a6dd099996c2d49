-- Somebody says that an account's holds are over: one task tries it.
-- KEYS: account
-- ARGV: 1: all of them; 0: only those that wait for somebody
-- Returns how many there were.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ended = 0
for field, hold in pairs(holds_of(KEYS[1])) do
  if not hold then
    redis.call('HDEL', KEYS[1], field)
    ended = ended + 1
  elseif ARGV[1] ~= '0' or not tonumber(hold['until']) then
    hold['until'] = now
    redis.call('HSET', KEYS[1], field, cjson.encode(hold))
    ended = ended + 1
  end
end
redis.call('HDEL', KEYS[1], 'strikes', 'struck_at')
return ended
