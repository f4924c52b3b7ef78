-- Makes a lease that is held last longer, unless somebody else has wanted one in the last second (R13).
--
-- ARGV  one object, as for claim.lua
-- Reply  one view; with `lease`, ms until the lease ends, if it was renewed

return each(function(r, input)
  if r.ep == 0 or r.f ~= '' or r.st ~= 'open' or text(input.eid) ~= r.eid then return end
  local token = text(input.token)
  local lease = leases(r)[token]
  if not lease or lease.state ~= 'held' or lease.ends <= now then return end
  if r.want > 0 and now - r.want <= 1000 then return end
  return lend(r, token, lease, input)
end)
