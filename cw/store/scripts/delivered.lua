-- What waited was carried out: it leaves the outbox, and is remembered for as long as it would be taken
-- again.
-- KEYS: outbox, nonce
-- ARGV: the entry as it lies there, ms to remember it, then what takes its place
redis.call('SET', KEYS[2], '', 'PX', ARGV[2])
if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then
  for i = 3, #ARGV do
    redis.call('RPUSH', KEYS[1], ARGV[i])
  end
end
return 1
