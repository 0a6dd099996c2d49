-- A GitHub write or notice that cannot be carried out leaves the outbox and is kept apart, for a person.
-- KEYS: outbox, asides
-- ARGV: the entry as it lies there, its id, what is kept (JSON), the time in ms before which others
--       are forgotten, how many are kept at most
redis.call('LREM', KEYS[1], 1, ARGV[1])
local ids = redis.call('HKEYS', KEYS[2])
table.sort(ids)  -- ULIDs: the oldest first
for at, id in ipairs(ids) do
  local said = cjson.decode(redis.call('HGET', KEYS[2], id))
  if said['at'] < tonumber(ARGV[4]) or #ids - at >= tonumber(ARGV[5]) then
    redis.call('HDEL', KEYS[2], id)
  end
end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
return 1
