-- A GitHub write or notice that was set aside is put into its outbox again, as it was signed.
-- KEYS: asides, outbox
-- ARGV: id
-- Returns 1, or 0 when it is not there any more.
local said = redis.call('HGET', KEYS[1], ARGV[1])
if not said then
  return 0
end
redis.call('RPUSH', KEYS[2], cjson.decode(said)['row'])
redis.call('HDEL', KEYS[1], ARGV[1])
return 1
