-- Let a task go on that had failed: it is open again, and has its issue again.
-- KEYS: task, waiting, open, done, claim (absent without an issue), claim as a cw of before would
--       have made it (absent where that is the same)
-- ARGV: id, allowed states, new state, place in line, fresh (1: a new session)
-- Archives say that it had ended; `reopened` says up to which attempt that does not count.
-- Returns {1, ''}, {0, ''}, or {0, id of the task that has the issue now}.
local have = redis.call('HMGET', KEYS[1], 'state', 'attempt')
if not have[1] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true) then
  return {0, ''}
end
for at = 5, #KEYS do
  local holder = redis.call('GET', KEYS[at])
  if holder then
    return {0, holder}
  end
end
if KEYS[5] then
  redis.call('SET', KEYS[5], ARGV[1])
end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'reason', '', 'outcome', '', 'ended_at', '', 'not_before', '',
  'lease_until', '', 'hinted_at', '', 'losses', 0, 'deferrals', 0, 'stop_wanted', '', 'fresh', ARGV[5],
  'reopened', have[2] or 0, 'seen_at', '', 'claim', KEYS[5] or '')
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], 'session', '')
end
redis.call('ZREM', KEYS[4], ARGV[1])
redis.call('ZADD', KEYS[3], ARGV[4], ARGV[1])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return {1, ''}
