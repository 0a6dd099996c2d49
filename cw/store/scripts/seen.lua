-- A person has seen how a task ended. KEYS: task. ARGV: id. Returns 1, or 0 when there is no such task.
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local t = redis.call('TIME')
redis.call('HSET', KEYS[1], 'seen_at', t[1] * 1000 + math.floor(t[2] / 1000))
return 1
