-- Takes the replica off the members.
--
-- ARGV  only the caller
-- Reply  an empty array

redis.call('ZREM', members, replica)
return {}
