-- Note why a task that waits does not move.
-- KEYS: task
-- ARGV: the state it must have, reason
if redis.call('HGET', KEYS[1], 'state') == ARGV[1] then
  redis.call('HSET', KEYS[1], 'reason', ARGV[2])
end
return 1
