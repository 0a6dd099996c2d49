-- The holds of an account by their fields; false: one that cannot be read.
local function holds_of(key)
  local said, found = redis.call('HGETALL', key), {}
  for i = 1, #said, 2 do
    if string.sub(said[i], 1, 5) == 'hold:' then
      local read, hold = pcall(cjson.decode, said[i + 1])
      found[said[i]] = read and type(hold) == 'table' and hold
    end
  end
  return found
end
