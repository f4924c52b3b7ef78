-- Tells a store that has lost writes what a replica believes (R4).
--
-- ARGV  {target, ep, eid, st, rem, dur, n, f, fv, ftok, maxOpenMs, nextId} a target: the replica's view.
--   rem counts for no more than maxOpenMs.
-- Reply  a view a target

local function believe(r, input, rem)
  r.st, r.n = 'open', math.min(whole(input.n), 30)
  r['until'], r.dur = now + rem, math.max(whole(input.dur), rem)
end

local function takeForced(r, input)
  r.f = (input.f == 'open' or input.f == 'closed') and input.f or ''
  r.fv, r.ftok, r.news = whole(input.fv), text(input.ftok), true
  indexForced(r)
end

return each(function(r, input)
  local rem, ep, isOpen = math.min(whole(input.rem), whole(input.maxOpenMs)), whole(input.ep), input.st == 'open'
  if r.ep == 0 then
    create(r, ep)
    r.sd, r.n, r.news = '1', math.min(whole(input.n), 30), true
    if isOpen then believe(r, input, rem) end
    if isOpen then indexOpen(r) end
    takeForced(r, input)
    return
  end
  local wasOpen = r.st == 'open'
  if ep > r.ep then
    newEpoch(r)
    r.ep, r.sd = ep, '1'
    if isOpen then believe(r, input, rem) end
    if r.st == 'open' then indexOpen(r) end
  elseif ep == r.ep and text(input.eid) ~= r.eid and not wasOpen and r.sd == '1' and isOpen and rem > 0 then
    newEpoch(r)
    r.ep, r.sd = ep, '1'
    believe(r, input, rem)
    indexOpen(r)
  end
  if r.st == 'open' and not wasOpen then forgetReports(r) end
  if whole(input.fv) > r.fv then takeForced(r, input) end
end)
