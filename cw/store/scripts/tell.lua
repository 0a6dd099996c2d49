-- Which account a worker is on, and since when this fleet has its credential.
-- KEYS: worker, account
-- ARGV: account id, day from which its credential counts as a person gave it or '', kind, name, ms until
--       it is forgotten unused, 1: the credential lasts a year, ms since when this host has it or ''
-- The earliest that anybody told counts. Returns it in ms; '' for other credentials.
redis.call('HSET', KEYS[1], 'account', ARGV[1], 'account_since', ARGV[2])
redis.call('HSET', KEYS[2], 'kind', ARGV[3], 'name', ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[5])
if ARGV[6] ~= '1' then
  return ''
end
local t = redis.call('TIME')
local seen = tonumber(ARGV[7]) or t[1] * 1000 + math.floor(t[2] / 1000)
local known = redis.call('HGET', KEYS[2], 'first_seen') or ''
if string.match(known, '^%d+$') and tonumber(known) <= seen then
  return known
end
seen = string.format('%.0f', seen)
redis.call('HSET', KEYS[2], 'first_seen', seen)
return seen
