-- A node's part of a limit that all nodes share. In one step: what the node has used since it last said so goes into the
-- window, and it gets permits for what comes. Redis' time is everybody's time.
--
-- KEYS[1]  a hash: s<second> = requests in that second, l<node> = permits lent to a node:second they lapse
-- ARGV     node, limit, permits needed now, permits wished for ahead, permits still held, seconds after which those of a
--          silent node lapse, then (age in seconds, count)…
-- Answer   permits lent just now, permits nobody has, permits others hold, seconds until the oldest request is out
local SECONDS = 61
local key, node = KEYS[1], 'l' .. ARGV[1]
local limit, want, ahead, held = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local lapse = tonumber(ARGV[6])
local now = tonumber(redis.call('TIME')[1])
local used, lent, oldest, over = 0, 0, now, {}
local known = redis.call('HGETALL', key)
for i = 1, #known, 2 do
  local field, value = known[i], known[i + 1]
  if string.sub(field, 1, 1) == 's' then
    local second = tonumber(string.sub(field, 2))
    if second <= now - SECONDS then
      over[#over + 1] = field
    else
      used = used + tonumber(value)
      oldest = math.min(oldest, second)
    end
  elseif field ~= node then
    local permits, lapses = string.match(value, '(%d+):(%d+)')
    if tonumber(lapses) <= now then
      over[#over + 1] = field
    else
      lent = lent + tonumber(permits)
    end
  end
end
for i = 7, #ARGV, 2 do
  local second, count = now - tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if second > now - SECONDS then
    redis.call('HINCRBY', key, 's' .. string.format('%d', second), count)
    used = used + count
    oldest = math.min(oldest, second)
  end
end
local free = math.max(0, limit - used - lent - held)
local granted = math.min(want, free)
-- Ahead only while there is plenty; close to the limit every permit is asked for by whoever needs it.
granted = granted + math.min(ahead, math.floor((free - granted) / 4))
local mine = held + granted
if mine > 0 then
  redis.call('HSET', key, node, string.format('%d:%d', mine, now + lapse))
else
  over[#over + 1] = node
end
if #over > 0 then
  redis.call('HDEL', key, unpack(over))
end
redis.call('EXPIRE', key, SECONDS + lapse)
return {granted, free - granted, lent, oldest + SECONDS - now}
