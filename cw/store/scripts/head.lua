-- The first id of a line that really waits there. What does not, because it was taken, stopped or
-- ended between a look and a change, is put where it belongs or taken off the line.
-- KEYS: waiting
-- ARGV: worker of this line, or '' for the pool; the state of what waits
-- Returns the id, or '' when nothing waits.
while true do
  local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if not first[1] then
    return ''
  end
  local have = redis.call('HMGET', 'cw:task:' .. first[1], 'state', 'worker')
  local waits = have[1] == ARGV[2]
  local worker = have[2] or ''
  if waits and worker == ARGV[1] then
    return first[1]
  end
  redis.call('ZREM', KEYS[1], first[1])
  if waits then
    redis.call('ZADD', 'cw:waiting:' .. (worker == '' and '*' or worker), first[2], first[1])
  end
end
