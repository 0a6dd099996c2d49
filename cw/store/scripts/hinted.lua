-- Note when a task's hint was sent. A task that was withdrawn meanwhile is not brought back.
-- KEYS: task
-- ARGV: ms since the epoch, or '' when its hint was used up without effect
if redis.call('EXISTS', KEYS[1]) == 1 then
  redis.call('HSET', KEYS[1], 'hinted_at', ARGV[1])
end
return 1
