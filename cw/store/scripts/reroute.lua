-- Give a task that waits for a worker whose host is lost to another one, or to the pool. Its fence
-- stays: a host that comes back before anybody took the task may go on with it.
-- KEYS: task, worker, waiting of the worker, waiting of the other one or the pool
-- ARGV: id, allowed states, worker, changed spec (JSON), waiting score, other worker or ''
-- Returns 1, or 0 when it does not wait for that worker any more.
local have = redis.call('HMGET', KEYS[1], 'state', 'worker', 'spec')
if not have[1] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true) then
  return 0
end
if (have[2] or '') ~= ARGV[3] then
  return 0
end
redis.call('HSET', KEYS[1], 'worker', ARGV[6], 'spec', ARGV[4], 'hinted_at', '',
  'reason', '')
if redis.call('HGET', KEYS[2], 'task') == ARGV[1] then
  redis.call('HSET', KEYS[2], 'task', '')
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], ARGV[5], ARGV[1])
return 1
