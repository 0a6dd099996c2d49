-- Take the lease of a queued task for one idle worker, if its repository is not held, and if the account
-- that it works on takes anything: none that is held, of one whose hold is over the first task alone, and
-- then one after the other. Of the ceilings that it shares with others it reserves a part.
-- KEYS: task, worker, leases, fence, waiting of the worker, waiting of the pool, reservations, ledger of
--       the month, holds of repositories, account (absent when it is not known)
-- ARGV: id, worker, host, ttl in ms, allowed states, new state, session, protocol of this host, model,
--       ms between two starts on an account that goes on, shared ceilings (JSON: see _budgets), places
--       (JSON list: all that its spending is summed up under), its repository's fields among the holds,
--       on all workers and on this one
-- Returns {1, fence, attempt, session}, {0, reason} or {0, reason, number of the ceiling}.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HMGET', KEYS[1], 'state', 'worker', 'session')
if not have[1] then
  return {0, 'gone'}
end
if (tonumber(redis.call('HGET', KEYS[1], 'protocol')) or 0) > tonumber(ARGV[8]) then
  return {0, 'made by a newer cw; this host needs: cw update'}
end
if not string.find(ARGV[5], ',' .. have[1] .. ',', 1, true) then
  return {0, have[1]}
end
if have[2] and have[2] ~= '' and have[2] ~= ARGV[2] then
  return {0, 'other worker'}
end
if (redis.call('HGET', KEYS[2], 'paused') or '') ~= '' then
  return {0, 'paused'}
end
local busy = redis.call('HGET', KEYS[2], 'task')
if busy and busy ~= '' and busy ~= ARGV[1] then
  return {0, 'busy'}
end
for _, text in ipairs(redis.call('HMGET', KEYS[9], ARGV[13], ARGV[14])) do
  local read, hold = pcall(cjson.decode, text or 'null')
  if read and type(hold) == 'table' then  -- what is none holds nothing
    return {0, 'repository held'}
  end
end
local scopes = cjson.decode(ARGV[11])
local room, part, why = left_of(scopes, ARGV[1], KEYS[8], KEYS[7], KEYS[3], true)
if not room then
  return {0, 'budget ' .. why, part}
end
local probes = {}
if KEYS[10] then
  local said = redis.call('HGETALL', KEYS[10])
  for i = 1, #said, 2 do
    local scope = string.match(said[i], '^hold:(.+)$')
    if scope and (scope == '*' or string.find(ARGV[9], scope, 1, true)) then
      local read, hold = pcall(cjson.decode, said[i + 1])
      if read and type(hold) == 'table' then  -- one that is not holds nothing
        local over = tonumber(hold['until'])
        if not over or over > now then
          return {0, 'account held'}
        end
        local other = hold.canary or ''
        if other ~= '' and other ~= ARGV[1]
            and (tonumber(redis.call('ZSCORE', KEYS[3], other)) or 0) > now then
          return {0, 'account probed'}
        end
        hold.canary = ARGV[1]
        probes[said[i]] = cjson.encode(hold)
      end
    end
  end
  local pace = redis.call('HMGET', KEYS[10], 'not_before', 'stagger')
  if (tonumber(pace[1]) or 0) > now then
    return {0, 'account staggered'}
  end
  local left = tonumber(pace[2]) or 0
  if left > 0 then
    redis.call('HSET', KEYS[10], 'not_before', now + ARGV[10], 'stagger', left - 1)
  end
end
for field, hold in pairs(probes) do
  redis.call('HSET', KEYS[10], field, hold)
end
local places = cjson.decode(ARGV[12])
reopen(KEYS[8], places)
if #scopes > 0 then
  reserve(KEYS[7], ARGV[1], places, part)
end
local fence = redis.call('INCR', KEYS[4])
local attempt = redis.call('HINCRBY', KEYS[1], 'attempt', 1)
local session = have[3]
if not session or session == '' then
  session = ARGV[7]
end
redis.call('HSET', KEYS[1], 'state', ARGV[6], 'worker', ARGV[2], 'host', ARGV[3], 'fence', fence,
  'session', session, 'was', '', 'lease_until', now + ARGV[4], 'started_at', now, 'ended_at', '', 'reason', '', 'stop_wanted', '')
redis.call('ZADD', KEYS[3], now + ARGV[4], ARGV[1])
redis.call('ZREM', KEYS[5], ARGV[1])
redis.call('ZREM', KEYS[6], ARGV[1])
redis.call('HSET', KEYS[2], 'task', ARGV[1])
return {1, fence, attempt, session}
