-- Record a finished task again that the broker has forgotten, from the archive of its last run.
-- KEYS: task, done, fence, finished, new pull requests (absent when it proved none)
-- ARGV: id, spec (JSON), worker, host, state, outcome (JSON), reason, fence of the run, attempt,
--       session, start and end of the run in ms, `<repo>#<n>` or '', dollars, turns and seconds of all
--       its runs
-- What is known is left alone, and so are claims. Returns 1 or 0.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return 0
end
-- The counter was forgotten as well; a later run must not get this fence.
redis.call('SET', KEYS[3], math.max(tonumber(redis.call('GET', KEYS[3]) or 0), tonumber(ARGV[8])))
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'state', ARGV[5], 'worker', ARGV[3], 'host', ARGV[4],
  'claim', '', 'outcome', ARGV[6], 'reason', ARGV[7], 'fence', 0, 'attempt', ARGV[9],
  'session', ARGV[10], 'started_at', ARGV[11], 'ended_at', ARGV[12],
  'spent_usd', ARGV[14], 'spent_turns', ARGV[15], 'spent_s', ARGV[16])
redis.call('ZADD', KEYS[2], ARGV[12], ARGV[1])
if KEYS[5] then
  redis.call('SADD', KEYS[5], ARGV[1])
end
if ARGV[13] ~= '' then
  local last = redis.call('HGET', KEYS[4], ARGV[13])
  if not last or (tonumber(redis.call('ZSCORE', KEYS[2], last)) or 0) < tonumber(ARGV[12]) then
    redis.call('HSET', KEYS[4], ARGV[13], ARGV[1])
  end
end
return 1
