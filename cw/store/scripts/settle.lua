-- End a run and record its outcome, if the lease is still this holder's. The worker is free again
-- when the task is done; until then it keeps the task, whose clone nobody else may touch.
-- KEYS: task, worker, leases, open, done, holds, waiting of the worker, finished, counts, costs,
--       reservations, ledger of the month, outbox, notices, new pull requests (absent when it proved
--       none)
-- ARGV: id, fence, allowed states, new state, outcome (JSON), reason, not before (ms or ''),
--       losses or deferrals to charge, 1 when the run came as far as its clone,
--       the field of counts, the run's dollars, turns and seconds,
--       places of the ledger that they are summed up under (JSON list), ms that it is kept,
--       whose archive will have the run (a host, or ''), its end in ms,
--       how many GitHub writes follow from it, then they, then the notice of it (JSON each)
-- `done` also releases the claim and remembers which task finished the issue; `queued` is a run that
-- was lost or interrupted and will be repeated. The fence ends with the run: a journal that was not archived in time
-- cannot be adopted and settled again.
-- Returns 1 or 0.
local have = redis.call('HMGET', KEYS[1], 'state', 'fence', 'claim')
if not have[1] or not string.find(ARGV[3], ',' .. have[1] .. ',', 1, true) or have[2] ~= ARGV[2] then
  return 0
end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local later = ARGV[4] == 'held' and (tonumber(ARGV[7]) or now) or ''
redis.call('HSET', KEYS[1], 'state', ARGV[4], 'outcome', ARGV[5], 'reason', ARGV[6],
  'not_before', later, 'lease_until', '', 'ended_at', now, 'fence', 0, 'was', '')
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('HSET', KEYS[1], 'stop_wanted', '')
if ARGV[9] == '1' then
  redis.call('HSET', KEYS[1], 'fresh', 0)
end
if ARGV[4] == 'done' then
  if redis.call('HGET', KEYS[2], 'task') == ARGV[1] then
    redis.call('HSET', KEYS[2], 'task', '')
  end
  if have[3] and have[3] ~= '' and redis.call('GET', have[3]) == ARGV[1] then
    redis.call('DEL', have[3])
    redis.call('HSET', KEYS[8], string.sub(have[3], 10), ARGV[1])  -- after cw:claim:
  end
  redis.call('ZREM', KEYS[4], ARGV[1])
  redis.call('ZADD', KEYS[5], now, ARGV[1])
  if KEYS[15] then
    redis.call('SADD', KEYS[15], ARGV[1])
  end
elseif ARGV[4] == 'held' then
  redis.call('HINCRBY', KEYS[1], 'deferrals', ARGV[8])
  redis.call('ZADD', KEYS[6], later, ARGV[1])
elseif ARGV[4] == 'queued' then
  redis.call('HSET', KEYS[1], 'outcome', '', 'hinted_at', '')
  redis.call('HINCRBY', KEYS[1], 'losses', ARGV[8])
  redis.call('ZADD', KEYS[7], redis.call('ZSCORE', KEYS[4], ARGV[1]) or now, ARGV[1])
end
-- A field that is no number any more is counted from the start: no run's end may hang on it.
if type(redis.pcall('HINCRBY', KEYS[9], ARGV[10], 1)) == 'table' then
  redis.call('HSET', KEYS[9], ARGV[10], 1)
end
local day = string.format('%d', math.floor(t[1] / 86400))
if tonumber(ARGV[11]) > 0
    and type(redis.pcall('HINCRBYFLOAT', KEYS[10], day, ARGV[11])) == 'table' then
  redis.call('HSET', KEYS[10], day, ARGV[11])
end
local spent = {spent_usd = ARGV[11], spent_turns = ARGV[12], spent_s = ARGV[13]}
for field, amount in pairs(spent) do
  if type(redis.pcall('HINCRBYFLOAT', KEYS[1], field, amount)) == 'table' then
    redis.call('HSET', KEYS[1], field, amount)
  end
end
if cjson.decode(ARGV[5]).cost_estimated then
  redis.call('HSET', KEYS[1], 'spent_rough', 1)
end
for _, place in ipairs(cjson.decode(ARGV[14])) do
  for unit, amount in pairs({usd = ARGV[11], turns = ARGV[12], s = ARGV[13]}) do
    local name = place .. ':' .. unit
    if type(redis.pcall('HINCRBYFLOAT', KEYS[12], name, amount)) == 'table' then
      redis.call('HSET', KEYS[12], name, amount)
    end
  end
  redis.call('HSETNX', KEYS[12], 'host:' .. ARGV[16] .. ':since', ARGV[17])
  redis.call('PEXPIRE', KEYS[12], ARGV[15])
end
redis.call('HDEL', KEYS[11], ARGV[1])
for i = 19, #ARGV do
  redis.call('RPUSH', KEYS[i <= 18 + ARGV[18] and 13 or 14], ARGV[i])
end
return 1
