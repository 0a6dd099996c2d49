-- End a task that does not run, for good, without a run: its issue needs nobody any more.
-- KEYS: task, worker, open, done, holds, waiting of the worker, waiting of the pool, finished,
--       outbox, notices
-- ARGV: id, allowed states, new state, outcome (JSON), reason, how many GitHub writes
--       follow, then they, then the notice of it
-- Releases the claim, and the worker if it has this very task.
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'claim')
if not have[1] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true) then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'outcome', ARGV[4], 'reason', ARGV[5],
  'not_before', '', 'lease_until', '', 'hinted_at', '', 'ended_at', now)
if redis.call('HGET', KEYS[2], 'task') == ARGV[1] then
  redis.call('HSET', KEYS[2], 'task', '')
end
if have[2] and have[2] ~= '' and redis.call('GET', have[2]) == ARGV[1] then
  redis.call('DEL', have[2])
  redis.call('HSET', KEYS[8], string.sub(have[2], 10), ARGV[1])  -- after cw:claim:
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[4], now, ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('ZREM', KEYS[7], ARGV[1])
for i = 7, #ARGV do
  redis.call('RPUSH', KEYS[i <= 6 + ARGV[6] and 9 or 10], ARGV[i])
end
return 1
