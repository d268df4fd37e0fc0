-- A node's part of the calls that a workspace has in a month. In one step: what the node has counted since it last said so
-- is added, and it gets permits for what comes. Redis' time is everybody's time.
--
-- KEYS[1]  a hash: epoch = which sum it is, counted = what all nodes have told, beyond = what the database knows beyond that,
--          young = until when (in milliseconds) nothing is lent, n<node> = what the node has told:permits lent to it:
--          second they lapse
-- ARGV     node, epoch it knows (0: none), calls there are, permits needed now, permits wished for ahead, permits still
--          held, what it told before and tells now (a running number), how much of that may be in `beyond` already, what
--          the database and it know together (-1: the database was not asked), seconds after which permits of a silent
--          node lapse, milliseconds for which a sum that begins lends nothing
-- Answer   epoch, permits lent just now, permits nobody has, permits others hold, the sum, silent nodes with permits. With
--          another epoch than the node's, or with 0 (there is no sum, and what the database knows is not told), nothing
--          was done.
local KEPT, FORGOTTEN = 40 * 86400, 86400
local key, node = KEYS[1], 'n' .. ARGV[1]
local epoch, limit, want, ahead = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local held, before, told, caught = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
local floor, lapse, grace = tonumber(ARGV[10]), tonumber(ARGV[11]), tonumber(ARGV[12])
local time = redis.call('TIME')
local now = tonumber(time[1])
local millis = now * 1000 + math.floor(tonumber(time[2]) / 1000)

local function text(number)
  return string.format('%.0f', number)
end

local sum = { epoch = 0, counted = 0, beyond = 0, young = 0 }
local lent, silent, news, over = 0, 0, {}, {}
local known = redis.call('HGETALL', key)
for i = 1, #known, 2 do
  local field, value = known[i], known[i + 1]
  if sum[field] then
    sum[field] = tonumber(value)
  else
    local its, permits, lapses = string.match(value, '(%-?%d+):(%d+):(%d+)')
    its, permits, lapses = tonumber(its), tonumber(permits), tonumber(lapses)
    if field == node then
      before = its
    elseif permits > 0 and lapses <= now and floor >= 0 then
      -- What it has used of them and written is in what the database knows.
      news[#news + 1] = field
      news[#news + 1] = text(its) .. ':0:' .. text(lapses)
    elseif permits > 0 then
      lent = lent + permits
      if lapses <= now then
        silent = silent + 1
      end
    elseif lapses <= now - FORGOTTEN then
      over[#over + 1] = field
    end
  end
end
if sum.epoch == 0 and (epoch ~= 0 or floor < 0) or epoch ~= 0 and epoch ~= sum.epoch then
  return { sum.epoch, 0, 0, 0, 0, 0 }
end
if sum.epoch == 0 then
  sum.epoch, sum.young = now * 1000000 + tonumber(time[2]), millis + grace
end
local counted = sum.counted + told - before
-- What was told already, though the node has not heard so, is not in `beyond` any more.
caught = math.min(caught, math.max(0, told - before))
-- What the database knows beyond the sum has passed by Redis, unless others have used it of what is lent to them and will
-- tell.
local beyond = math.max(0, sum.beyond - caught, floor - lent - counted)
local used = counted + beyond
local free = math.max(0, limit - used - lent - held)
local granted = 0
if millis >= sum.young then
  granted = math.min(want, free)
  -- Ahead only while there is plenty; close to the limit every permit is asked for by whoever needs it.
  granted = granted + math.min(ahead, math.floor((free - granted) / 4))
else
  lent = math.max(lent, 1)
end
redis.call('HSET', key, 'epoch', text(sum.epoch), 'counted', text(counted), 'beyond', text(beyond), 'young',
  text(sum.young), node, text(told) .. ':' .. text(held + granted) .. ':' .. text(now + lapse), unpack(news))
if #over > 0 then
  redis.call('HDEL', key, unpack(over))
end
redis.call('EXPIRE', key, KEPT)
return { sum.epoch, granted, free - granted, lent, used, silent }
