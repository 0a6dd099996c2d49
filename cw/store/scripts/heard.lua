-- The model answered the task that was to find out whether a hold is over: it is, and those that wait
-- go on one after the other.
-- KEYS: account
-- ARGV: task, ms between two of them, how many those are
-- Returns how many holds ended.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local ended = 0
for field, hold in pairs(holds_of(KEYS[1])) do
  if hold and hold.canary == ARGV[1] then
    if (tonumber(hold['until']) or now + 1) <= now then
      redis.call('HDEL', KEYS[1], field)
      ended = ended + 1
    else  -- another run was refused since
      hold.canary = ''
      redis.call('HSET', KEYS[1], field, cjson.encode(hold))
    end
  end
end
if ended > 0 then
  redis.call('HDEL', KEYS[1], 'strikes', 'struck_at')
  redis.call('HSET', KEYS[1], 'not_before', now + ARGV[2], 'stagger', ARGV[3])
end
return ended
