-- Views of targets that are not closed or are forced, at most 50 of them, and of those named. Changes no record.
--
-- ARGV  {target} a target that the caller names
-- Reply  {cursor}, then a view for each target, each once. cursor: id of the stream's last entry

local replies, seen = { cjson.encode({ cursor = cursor() }) }, {}
local function add(target)
  if seen[target] then return end
  seen[target] = true
  local r = view(read(tag .. ':t:' .. target, target))
  r.rem = math.min(r.rem, r.dur)
  replies[#replies + 1] = cjson.encode(r)
end

for _, target in ipairs(redis.call('ZRANGE', opens, 0, 49)) do add(target) end
local forced = redis.call('HGETALL', forces)
for i = 1, #forced, 2 do
  if #replies <= 50 then add(forced[i]) end
end
for _, input in ipairs(inputs) do add(text(input.target)) end
return replies
