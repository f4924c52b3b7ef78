-- Asks for the right to send one probe (R10, R11).
--
-- ARGV  one object: {target, eid, token, probes, timeoutMs, marginMs, defer(bool), nextId}
--   token: random, made by the caller. probes: how many an epoch may have. defer: let others go first.
-- Reply  one view; with `lease`, ms until the lease ends, if there is one

return each(function(r, input)
  if r.ep == 0 or r.f ~= '' or r.st ~= 'open' or text(input.eid) ~= r.eid then return end
  local found, token = leases(r), text(input.token)
  local held, mine = 0, false
  for name, lease in pairs(found) do
    if lease.state == 'held' and lease.ends <= now then
      lease.state = 'used'
      setLease(r, name, lease)
    end
    if lease.state == 'held' then held = held + 1 end
    if lease.replica == replica then mine = true end
  end
  local same = found[token]
  if same then return same.state == 'held' and { lease = same.ends - now } or nil end
  if r['until'] - now > 300 then return end
  local probes = r.p > 0 and r.p or math.max(1, whole(input.probes))
  if r.grants >= probes then
    if held == 0 then dueNow(r) else r.want = now end
    return
  end
  if now < r['until'] + 250 and (mine or input.defer == true) then return end
  r.grants, r.p = r.grants + 1, probes
  return lend(r, token, { replica = replica, state = 'held' }, input)
end)
