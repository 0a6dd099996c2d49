-- A person is told something of an account, once.
-- KEYS: account, notices of the host that tells it
-- ARGV: the cause, the notice as it lies there
-- Returns 0 when it was told before, or the account is forgotten.
if redis.call('EXISTS', KEYS[1]) == 0 or redis.call('HGET', KEYS[1], 'warned') == ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'warned', ARGV[1])
redis.call('RPUSH', KEYS[2], ARGV[2])
return 1
