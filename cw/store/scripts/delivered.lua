-- A GitHub write was carried out: it leaves the outbox, and is remembered for as long as it would be
-- taken again.
-- KEYS: outbox, nonce
-- ARGV: the entry as it lies there, ms to remember it
redis.call('SET', KEYS[2], '', 'PX', ARGV[2])
redis.call('LREM', KEYS[1], 1, ARGV[1])
return 1
