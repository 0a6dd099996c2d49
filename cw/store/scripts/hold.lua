-- An account, or some models of it, takes nothing until a time, or until somebody acts.
-- KEYS: account
-- ARGV: models (* or a part of their names), kind, words, until (ms or '': until somebody acts), task
--       whose run met it, pauses (JSON list of ms, each for one more refusal in a row; [] where the
--       time is known), ms after which that waits for somebody, account id
-- What waits for somebody is not shortened, nor what lasts longer of the same kind. Runs that meet the
-- same outage count once. The canary stays the canary, but where it was the one that was refused.
-- Returns {1 when no other task said so, until as ms or ''}: a host that is killed before it told people
-- says it again.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local field = 'hold:' .. ARGV[1]
local before = redis.call('HGET', KEYS[1], field)
local read, old = pcall(cjson.decode, before or 'null')
if not before or not read or type(old) ~= 'table' then
  old = nil
end
local until_ms = tonumber(ARGV[4])
local pauses = cjson.decode(ARGV[6])
local lasts = old and tonumber(old['until'])
local same = old and old.kind == ARGV[2]
if old and not lasts and until_ms then
  return {0, ''}
end
local open = lasts and lasts > now
if #pauses > 0 then
  if open then
    return {0, lasts}
  end
  local first = tonumber(redis.call('HGET', KEYS[1], 'struck_at')) or now
  local strikes = tonumber(redis.call('HGET', KEYS[1], 'strikes')) or 0
  redis.call('HSET', KEYS[1], 'struck_at', first, 'strikes', strikes + 1)
  if now - first >= tonumber(ARGV[7]) then
    until_ms = nil
  else
    until_ms = math.max(until_ms or 0, now + pauses[math.min(strikes + 1, #pauses)])
  end
elseif open and until_ms then
  until_ms = math.max(until_ms, lasts)
end
local canary = old and old.canary or ''
if canary == ARGV[5] then
  canary = ''
end
redis.call('HSET', KEYS[1], field, cjson.encode({
  scope = ARGV[1], kind = ARGV[2], said = ARGV[3], by = ARGV[5], canary = canary,
  since = same and tonumber(old.since) or now, ['until'] = until_ms or ''}))
redis.call('PERSIST', KEYS[1])
local known = same and (until_ms ~= nil) == (lasts ~= nil) and old.by ~= ARGV[5]
return {known and 0 or 1, until_ms or ''}
