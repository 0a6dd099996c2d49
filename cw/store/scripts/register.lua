-- Record where a worker lives, unless it lives on another machine that the fleet knows.
-- KEYS: worker, workers
-- ARGV: id, host, home, time of registration in ms or '', machine
-- A host that was given another name is the same machine. Returns the name of the other host, or ''.
local owner = redis.call('HGET', KEYS[1], 'host') or ''
if owner ~= '' and owner ~= ARGV[2] then
  local machine = redis.call('HGET', 'cw:host:' .. owner, 'machine')
  if machine and (machine == '' or machine ~= ARGV[5]) then
    return owner
  end
end
redis.call('HSET', KEYS[1], 'id', ARGV[1], 'host', ARGV[2], 'home', ARGV[3])
if ARGV[4] ~= '' then
  redis.call('HSET', KEYS[1], 'registered_at', ARGV[4])
end
redis.call('SADD', KEYS[2], ARGV[1])
return ''
