-- A host's sign of life, unless another machine that is up has its name: then only that there are two.
-- KEYS: host, hosts
-- ARGV: name, machine or '', ms after which a host is silent, field, value, field, value, ...
-- Returns 1, or 0 when the name is another machine's.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HMGET', KEYS[1], 'machine', 'seen_at')
local other = have[1] and have[1] ~= '' and ARGV[2] ~= '' and have[1] ~= ARGV[2]
if other and now - (tonumber(have[2]) or 0) <= tonumber(ARGV[3]) then
  redis.call('HSET', KEYS[1], 'rival_at', now)
  return 0
end
redis.call('HSET', KEYS[1], unpack(ARGV, 4))
redis.call('SADD', KEYS[2], ARGV[1])
return 1
