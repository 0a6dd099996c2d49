-- Renew a lease, if it is still this holder's.
-- KEYS: task, leases, counts
-- ARGV: id, fence, ttl in ms
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'fence')
if have[1] ~= 'running' or have[2] ~= ARGV[2] then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'lease_until', now + ARGV[3])
redis.pcall('HINCRBY', KEYS[3], 'renewals', 1)  -- only counted: no lease may hang on it
redis.call('ZADD', KEYS[2], now + ARGV[3], ARGV[1])
return 1
