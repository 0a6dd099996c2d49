-- Remember where everything stood when the first run of a task began. What is known stays.
-- KEYS: task
-- ARGV: fence of the run, start (JSON)
-- Returns the start that counts; empty when the task is not this run's any more.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then
  return ''
end
local known = redis.call('HGET', KEYS[1], 'start')
if known and known ~= '' then
  return known
end
redis.call('HSET', KEYS[1], 'start', ARGV[2])
return ARGV[2]
