-- What a host's archives of this month add up to, where the ledger knows of none of them: the broker was
-- emptied, or this is its first month. Once for each host and month.
-- KEYS: ledger of the month
-- ARGV: host, sums (JSON: {place: {usd, turns, s}}), ms that the ledger is kept
-- Returns 1, or 0 when they were counted before.
if redis.call('HSETNX', KEYS[1], 'host:' .. ARGV[1] .. ':counted', 1) == 0 then
  return 0
end
for place, amount in pairs(cjson.decode(ARGV[2])) do
  for unit, number in pairs(amount) do
    local name = place .. ':' .. unit
    if type(redis.pcall('HINCRBYFLOAT', KEYS[1], name, number)) == 'table' then
      redis.call('HSET', KEYS[1], name, number)
    end
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
