-- Take the lease of a queued task for one idle worker.
-- KEYS: task, worker, leases, fence, waiting of the worker, waiting of the pool
-- ARGV: id, worker, host, ttl in ms, allowed states, new state, session, protocol of this host
-- Returns {1, fence, attempt, session} or {0, reason}.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HMGET', KEYS[1], 'state', 'worker', 'session')
if not have[1] then
  return {0, 'gone'}
end
if (tonumber(redis.call('HGET', KEYS[1], 'protocol')) or 0) > tonumber(ARGV[8]) then
  return {0, 'made by a newer cw; this host needs: cw update'}
end
if not string.find(ARGV[5], ',' .. have[1] .. ',', 1, true) then
  return {0, have[1]}
end
if have[2] and have[2] ~= '' and have[2] ~= ARGV[2] then
  return {0, 'other worker'}
end
if (redis.call('HGET', KEYS[2], 'paused') or '') ~= '' then
  return {0, 'paused'}
end
local busy = redis.call('HGET', KEYS[2], 'task')
if busy and busy ~= '' and busy ~= ARGV[1] then
  return {0, 'busy'}
end
local fence = redis.call('INCR', KEYS[4])
local attempt = redis.call('HINCRBY', KEYS[1], 'attempt', 1)
local session = have[3]
if not session or session == '' then
  session = ARGV[7]
end
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'worker', ARGV[2], 'host', ARGV[3], 'fence', fence,
  'session', session, 'was', '', 'lease_until', now + ARGV[4], 'started_at', now, 'ended_at', '', 'reason', '', 'stop_wanted', '')
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('HSET', KEYS[2], 'task', ARGV[1])
return {1, fence, attempt, session}
