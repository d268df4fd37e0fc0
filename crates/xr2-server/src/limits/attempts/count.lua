-- Counts an attempt at something that may be tried a few times in a long while. Redis' time is everybody's time.
--
-- KEYS[1]  a sorted set: attempts by when they were made, in milliseconds
-- ARGV     the attempt, how many there may be, within how many milliseconds
-- Answer   0 if it was counted, else seconds until there may be another
local key, limit, window = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('ZREMRANGEBYSCORE', key, '-inf', string.format('%.0f', now - window))
if redis.call('ZCARD', key) >= limit then
  local first = tonumber(redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2])
  return { math.max(1, math.ceil((first + window - now) / 1000)) }
end
redis.call('ZADD', key, string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', key, ARGV[3])
return { 0 }
