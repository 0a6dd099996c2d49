-- Ask for a stop: a task that waits or is held is stopped at once, a run by its host.
-- KEYS: task, waiting, holds
-- ARGV: id, by whom, allowed states, new state
-- Returns the state the task has now.
local state = redis.call('HGET', KEYS[1], 'state')
if not state then
  return 'gone'
end
if state == 'running' then
  redis.call('HSET', KEYS[1], 'stop_wanted', ARGV[2])
  return state
end
if not string.find(ARGV[3], ',' .. state .. ',', 1, true) then
  return state
end
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'reason', 'stopped by ' .. ARGV[2], 'not_before', '')
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
return ARGV[4]
