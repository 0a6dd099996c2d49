-- Put a task whose record cannot be read out of the way, with all that names it.
-- KEYS: task
-- ARGV: id, where it is kept, for how many ms, indexes that may name it
-- Whatever of it can still be read is used: its claim and its worker are free again. A host that runs
-- it tells it anew from its journal. It has no types checked before: it is here because they are wrong.
-- Returns 1 or 0.
local is = redis.call('TYPE', KEYS[1]).ok
for i = 4, #ARGV do
  if redis.call('TYPE', ARGV[i]).ok == 'zset' then
    redis.call('ZREM', ARGV[i], ARGV[1])
  end
end
if is == 'none' then
  return 0
end
if is == 'hash' then
  local have = redis.call('HMGET', KEYS[1], 'claim', 'worker')
  local claim, worker = have[1] or '', have[2] or ''
  if string.sub(claim, 1, 9) == 'cw:claim:' and redis.call('TYPE', claim).ok == 'string'
      and redis.call('GET', claim) == ARGV[1] then
    redis.call('DEL', claim)
  end
  local name = 'cw:worker:' .. worker
  if worker ~= '' and redis.call('TYPE', name).ok == 'hash'
      and redis.call('HGET', name, 'task') == ARGV[1] then
    redis.call('HSET', name, 'task', '')
  end
end
redis.call('RENAME', KEYS[1], ARGV[2])
redis.call('PEXPIRE', ARGV[2], ARGV[3])
return 1
