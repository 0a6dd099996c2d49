-- Claim the issue and record the task, or say who has it.
-- KEYS: task, open, waiting, prompt, claim (absent without an issue), claim as a cw of before would
--       have made it (absent where that is the same)
-- ARGV: id, spec (JSON), prompt, worker or '', protocol
-- Returns {1, now} or {0, id of the task that has the claim}. Repeating it changes nothing: an answer
-- lost on the way is asked for again.
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local have = redis.call('HGET', KEYS[1], 'spec')
if have then
  return {have == ARGV[2] and 1 or 0, ARGV[1]}
end
if KEYS[5] then
  local holder = redis.call('GET', KEYS[5])
  if holder then
    return {0, holder}
  end
  holder = KEYS[6] and redis.call('GET', KEYS[6])
  if holder then
    return {0, holder}
  end
  redis.call('SET', KEYS[5], ARGV[1])
end
redis.call('HSET', KEYS[1], 'spec', ARGV[2], 'state', 'queued', 'worker', ARGV[4], 'claim', KEYS[5] or '',
  'protocol', ARGV[5])
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('ZADD', KEYS[3], now, ARGV[1])
if ARGV[3] ~= '' then
  redis.call('SET', KEYS[4], ARGV[3])
end
return {1, now}
