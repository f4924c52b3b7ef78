-- Tells what a probe came to; most of an epoch's probes close the target, or open it again (R12). A lease that was not
-- used is given back for another one to claim (R11).
--
-- ARGV  one object: {target, eid, token, verdict(ok|fail|unused), nextId, openTerms}; openTerms as for report.lua
-- Reply  one view; with `counted`: false where the lease had ended, or belongs to another epoch

local function decide(r, found, openTerms)
  local needed = math.floor(r.p / 2) + 1
  if r.ok >= needed then
    close(r)
  elseif r.ko > r.p - needed then
    open(r, openTerms)
  elseif r.grants >= r.p and not anyHeld(found) then
    dueNow(r)
  end
end

return each(function(r, input)
  if r.ep == 0 or r.f ~= '' or r.st ~= 'open' or text(input.eid) ~= r.eid then return { counted = false } end
  local token, found = text(input.token), leases(r)
  local lease = found[token]
  if not lease or lease.state ~= 'held' then return { counted = lease ~= nil and lease.state == 'settled' } end
  local expired = lease.ends <= now
  if input.verdict == 'unused' and not expired then
    redis.call('HDEL', r.leaseKey, token)
    found[token], r.grants = nil, r.grants - 1
  else
    lease.state = expired and 'used' or 'settled'
    setLease(r, token, lease)
  end
  if expired then return { counted = false } end
  if input.verdict == 'ok' then r.ok = r.ok + 1 end
  if input.verdict == 'fail' then r.ko = r.ko + 1 end
  decide(r, found, input.openTerms)
  return { counted = true }
end)
