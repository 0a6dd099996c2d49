-- Nothing more is started of a repository, or of it on one worker, until somebody acts.
-- KEYS: repositories
-- ARGV: field, what is recorded of it (JSON), task that was the last to fail
-- What is held already stays as it is.
-- Returns 1 when no other task said so: a host that is killed before it told people says it again.
local t = redis.call('TIME')
local before = redis.call('HGET', KEYS[1], ARGV[1])
local read, old = pcall(cjson.decode, before or 'null')
if before and read and type(old) == 'table' then
  return old.by == ARGV[3] and 1 or 0
end
local hold = cjson.decode(ARGV[2])
hold.since = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], ARGV[1], cjson.encode(hold))
return 1
