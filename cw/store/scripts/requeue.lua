-- Put a task that does not run back into its queue: a hold that is over, a lease that ended, a
-- person's restart. Checks the time again on the server, so two sweeps do it once.
-- KEYS: task, waiting, leases, holds, outbox, notices
-- ARGV: id, allowed states, new state, kind (hold|lease|person), reason, waiting score, fresh
--       (1: a new session from the branch's start), how many GitHub writes follow, then they, then
--       the notice of it
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'lease_until', 'not_before')
if not have[1] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true) then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
if ARGV[4] == 'lease' and (tonumber(have[2]) or 0) > now then
  return 0
end
if ARGV[4] == 'hold' and (tonumber(have[3]) or 0) > now then
  return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'reason', ARGV[5], 'not_before', '',
  'lease_until', '', 'hinted_at', '')
if ARGV[4] == 'person' then
  redis.call('HSET', KEYS[1], 'losses', 0, 'deferrals', 0, 'stop_wanted', '', 'outcome', '', 'fresh', ARGV[7])
  if ARGV[7] == '1' then
    redis.call('HSET', KEYS[1], 'session', '')
  end
elseif ARGV[4] ~= 'hold' then
  redis.call('HINCRBY', KEYS[1], 'losses', 1)
  if redis.call('HGET', KEYS[1], 'fresh') == '1' then
    redis.call('HSET', KEYS[1], 'session', '')  -- begun anew, lost, and begun anew again
  end
end
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZREM', KEYS[4], ARGV[1])
if ARGV[3] == 'queued' then
  redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1])
end
for i = 9, #ARGV do
  redis.call('RPUSH', KEYS[i <= 8 + ARGV[8] and 5 or 6], ARGV[i])
end
return 1
