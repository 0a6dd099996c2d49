-- What a look at a pull request, or a person, makes of it, if nobody has changed it since it was read.
-- KEYS: pull, pulls, ended ones, outbox, notices
-- ARGV: name, allowed states, new state, revision as it was read, record (JSON), next look in ms (''
--       when it has ended), how many GitHub writes follow, then they, then the notice of it
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'revision')
if not have[1] or not string.find(ARGV[2], ',' .. have[1] .. ',', 1, true)
    or (have[2] or '0') ~= ARGV[4] then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'record', ARGV[5],
  'revision', string.format('%d', tonumber(ARGV[4]) + 1))
if ARGV[6] == '' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZADD', KEYS[3], 'NX', now, ARGV[1])
else
  redis.call('ZADD', KEYS[2], ARGV[6], ARGV[1])
end
for i = 8, #ARGV do
  redis.call('RPUSH', KEYS[i <= 7 + ARGV[7] and 4 or 5], ARGV[i])
end
return 1
