-- A pull request that a task's end proved is watched from now on; one that is known goes by the later
-- task, also when it had ended.
-- KEYS: pull, pulls, ended ones
-- ARGV: name, its task, new state, record (JSON)
-- Ids of tasks sort by creation. What is known of the same task, or of a later one, is left alone, but
-- named in its list again.
-- Returns 1 or 0.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HMGET', KEYS[1], 'task', 'state')
if have[1] and have[1] >= ARGV[2] then
  local ended = have[2] == 'merged' or have[2] == 'closed'
  redis.call('ZADD', KEYS[ended and 3 or 2], 'NX', now, ARGV[1])
  return 0
end
redis.call('HSET', KEYS[1], 'task', ARGV[2], 'state', ARGV[3], 'record', ARGV[4])
if type(redis.pcall('HINCRBY', KEYS[1], 'revision', 1)) == 'table' then
  redis.call('HSET', KEYS[1], 'revision', 1)
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[2], now, ARGV[1])
return 1
