-- What is wanted of a task that is about to be restarted is written anew, signed again.
-- KEYS: task
-- ARGV: allowed states, spec (JSON)
-- Returns 1 or 0.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or not string.find(ARGV[1], ',' .. state .. ',', 1, true) then
  return 0
end
redis.call('HSET', KEYS[1], 'spec', ARGV[2])
return 1
