-- Says that a replica lives, and tells it what is not closed or is forced (R14, R16). Always a write.
--
-- ARGV  only the caller
-- Reply  {live, cursor}, then {target, ep} for each unsettled target, at most 1,000
--   live: replicas, the caller included. cursor: id of the stream's last entry

redis.call('ZADD', members, now, replica)
dropMembers()
redis.call('PEXPIRE', members, DAY)
local born = whole(redis.call('HMGET', membership, 'born')[1])
if born == 0 or born > now then redis.call('HSET', membership, 'born', written(now)) end
redis.call('PEXPIRE', membership, DAY)

local replies = { cjson.encode({ live = redis.call('ZCARD', members), cursor = cursor() }) }
local seen = {}
local function add(target, ep)
  if seen[target] or #replies > 1000 then return end
  seen[target] = true
  replies[#replies + 1] = cjson.encode({ target = target, ep = ep })
end

local open = redis.call('ZRANGE', opens, 0, 999, 'WITHSCORES')
for i = 1, #open, 2 do add(open[i], whole(open[i + 1])) end
local forced = redis.call('HGETALL', forces)
for i = 1, #forced, 2 do
  if not seen[forced[i]] and #replies <= 1000 then
    add(forced[i], whole(redis.call('HMGET', tag .. ':t:' .. forced[i], 'ep')[1]))
  end
end
return replies
