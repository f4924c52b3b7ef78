-- Which primary answers (R2), and which commands the caller's user lacks. Stands alone: record.lua is not put before it.
--
-- KEYS  1 TAG:s, the stream
-- Reply  {run, lacks}. run: the server's run_id, '' where INFO is not permitted.
--   lacks: commands that the other scripts need, with blanks between; always '' before Redis 7

local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
local lacks = {}
if redis.acl_check_cmd then
  local key = KEYS[1]
  for _, command in ipairs({
    { 'time' }, { 'hmget', key, 'a' }, { 'hset', key, 'a', 'b' }, { 'hdel', key, 'a' }, { 'hgetall', key },
    { 'del', key }, { 'pexpire', key, '1' }, { 'xadd', key, '*', 'a', 'b' }, { 'xrevrange', key, '+', '-' },
    { 'xread', 'STREAMS', key, '0' }, { 'zadd', key, '1', 'a' }, { 'zrem', key, 'a' }, { 'zcard', key },
    { 'zrange', key, '0', '1' }, { 'zremrangebyscore', key, '0', '1' },
  }) do
    if not redis.acl_check_cmd(unpack(command)) then lacks[#lacks + 1] = command[1] end
  end
end
return { cjson.encode({ run = run, lacks = table.concat(lacks, ' ') }) }
