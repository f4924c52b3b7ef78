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
-- A record that nothing has happened to for a day is gone, and its name would else be told for ever.
local function add(target, forget, index)
  if seen[target] or #replies > 1000 then return end
  seen[target] = true
  local ep = whole(redis.call('HMGET', tag .. ':t:' .. target, 'ep')[1])
  if ep == 0 then return redis.call(forget, index, target) end
  replies[#replies + 1] = cjson.encode({ target = target, ep = ep })
end

for _, target in ipairs(redis.call('ZRANGE', opens, 0, 999)) do add(target, 'ZREM', opens) end
local forced = redis.call('HGETALL', forces)
for i = 1, #forced, 2 do add(forced[i], 'HDEL', forces) end
return replies
