-- Take the lease again for a live run, if nobody else has taken it since. A lease that had ended
-- meanwhile was no loss: what was charged for it is taken back.
-- KEYS: task, worker, leases, fence, waiting of the worker, waiting of the pool
-- ARGV: id, worker, host, ttl in ms, allowed states, new state, fence of the run,
--       1: the fence before the last adoption will do, on the same host
-- Returns {1, new fence} or {0, reason}.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HMGET', KEYS[1], 'state', 'fence', 'losses', 'was', 'host')
if not have[1] then
  return {0, 'gone'}
end
if not string.find(ARGV[5], ',' .. have[1] .. ',', 1, true) then
  return {0, have[1]}
end
-- A host that was killed before it wrote its new fence down comes back with the one before.
if have[2] ~= ARGV[7] and not (ARGV[8] == '1' and have[4] == ARGV[7] and have[5] == ARGV[3]) then
  return {0, have[1]}
end
local busy = redis.call('HGET', KEYS[2], 'task')
if busy and busy ~= '' and busy ~= ARGV[1] then
  return {0, 'busy'}
end
if have[1] ~= 'running' and (tonumber(have[3]) or 0) > 0 then
  redis.call('HINCRBY', KEYS[1], 'losses', -1)
end
local fence = redis.call('INCR', KEYS[4])
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'worker', ARGV[2], 'host', ARGV[3], 'fence', fence,
  'was', ARGV[7], 'lease_until', now + ARGV[4], 'ended_at', '', 'reason', '')
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('HSET', KEYS[2], 'task', ARGV[1])
return {1, fence}
