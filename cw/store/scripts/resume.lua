-- Somebody says that an account's holds are over: one task tries it.
-- KEYS: account
-- ARGV: 1: all of them; 0: only those that wait for somebody
-- Returns how many there were.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local said, ended = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #said, 2 do
  if string.sub(said[i], 1, 5) == 'hold:' then
    local read, hold = pcall(cjson.decode, said[i + 1])
    if read and type(hold) == 'table' and ARGV[1] == '0' and tonumber(hold['until']) then
      ended = ended - 1
    elseif read and type(hold) == 'table' then
      hold['until'] = now
      redis.call('HSET', KEYS[1], said[i], cjson.encode(hold))
    else
      redis.call('HDEL', KEYS[1], said[i])
    end
    ended = ended + 1
  end
end
redis.call('HDEL', KEYS[1], 'strikes', 'struck_at')
return ended
