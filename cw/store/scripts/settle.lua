-- End a run: record its outcome and free the worker, if the lease is still this holder's.
-- KEYS: task, worker, leases, open, done, holds, outbox, waiting of the worker
-- ARGV: id, fence, allowed states, new state, outcome (JSON), reason, not before (ms or ''),
--       then the GitHub writes that follow from it (JSON each)
-- `done` also releases the claim; `queued` is a run that was lost and will be repeated.
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'fence', 'claim')
if not have[1] or not string.find(ARGV[3], ',' .. have[1] .. ',', 1, true) or have[2] ~= ARGV[2] then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'outcome', ARGV[5], 'reason', ARGV[6],
  'not_before', ARGV[7], 'lease_until', '', 'ended_at', now)
redis.call('ZREM', KEYS[3], ARGV[1])
if redis.call('HGET', KEYS[2], 'task') == ARGV[1] then
  redis.call('HSET', KEYS[2], 'task', '')
end
if ARGV[4] == 'done' then
  if have[3] and have[3] ~= '' and redis.call('GET', have[3]) == ARGV[1] then
    redis.call('DEL', have[3])
  end
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('ZADD', KEYS[5], now, ARGV[1])
elseif ARGV[4] == 'held' then
  redis.call('HINCRBY', KEYS[1], 'deferrals', 1)
  redis.call('ZADD', KEYS[6], ARGV[7], ARGV[1])
elseif ARGV[4] == 'queued' then
  redis.call('HSET', KEYS[1], 'outcome', '', 'hinted_at', '')
  redis.call('ZADD', KEYS[8], redis.call('ZSCORE', KEYS[4], ARGV[1]) or now, ARGV[1])
end
for i = 8, #ARGV do
  redis.call('RPUSH', KEYS[7], ARGV[i])
end
return 1
