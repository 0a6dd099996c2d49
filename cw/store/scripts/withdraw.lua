-- Take back a dispatch that could not be completed, unless a host has or had it.
-- KEYS: task, open, waiting, prompt
-- ARGV: id, allowed states
-- Returns 1 when nothing of it is left, 0 when it stays.
local have = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if not have[1] or have[2] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true) then
  return 0
end
local claim = redis.call('HGET', KEYS[1], 'claim')
if claim and claim ~= '' and redis.call('GET', claim) == ARGV[1] then
  redis.call('DEL', claim)
end
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('DEL', KEYS[1], KEYS[4])
return 1
