-- Record a run again that the broker has forgotten, from the journal of the host that has it.
-- KEYS: task, open, worker, leases, fence, prompt, claim (absent without an issue)
-- ARGV: id, spec (JSON), worker, host, ttl in ms, state, fence of the run, attempt, session,
--       time of creation in ms, prompt or '', where its first run began (JSON) or ''
-- The run keeps its fence: nobody can have taken the task since, for nobody knew it. Returns 1, or 0
-- when the task is known after all, or another one has the issue.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
if KEYS[7] then
  local holder = redis.call('GET', KEYS[7])
  if holder and holder ~= ARGV[1] then
    return 0
  end
  redis.call('SET', KEYS[7], ARGV[1])
end
-- The counter was forgotten as well; it must not give this fence to a later run.
redis.call('SET', KEYS[5], math.max(tonumber(redis.call('GET', KEYS[5]) or 0), tonumber(ARGV[7])))
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'state', ARGV[6], 'worker', ARGV[3], 'host', ARGV[4],
  'claim', KEYS[7] or '', 'fence', ARGV[7], 'attempt', ARGV[8], 'session', ARGV[9],
  'lease_until', now + ARGV[5], 'started_at', now, 'start', ARGV[12])
redis.call('ZADD', KEYS[2], ARGV[10], ARGV[1])
redis.call('ZADD', KEYS[4], now + ARGV[5], ARGV[1])
redis.call('HSET', KEYS[3], 'task', ARGV[1])
if ARGV[11] ~= '' then
  redis.call('SET', KEYS[6], ARGV[11])
end
return 1
