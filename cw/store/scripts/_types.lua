-- Before each script: a key of another type than its own refuses the whole change, as half of one
-- cannot be taken back.
do
  local kinds = {%s}
  for _, key in ipairs(KEYS) do
    for _, row in ipairs(kinds) do
      if string.sub(key, 1, #row[1]) == row[1] then
        local is = redis.call('TYPE', key).ok
        if is ~= 'none' and is ~= row[2] then
          return redis.error_reply('WRONGTYPE ' .. key .. ' is a ' .. is .. ', not a ' .. row[2])
        end
        break
      end
    end
  end
end
