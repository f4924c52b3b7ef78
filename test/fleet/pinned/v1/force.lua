-- Compares and sets a person's decision (R15).
--
-- ARGV  one object: {target, state(open|closed|''), token, base, nextId}
--   state: '' takes a decision back. token: the same one told again is no conflict. base: fv that was decided upon.
-- Reply  one view; with `accepted`: false where somebody else has decided in between

local function lift(r, was)
  if was == 'open' then
    dueNow(r)
  elseif was == 'closed' then
    close(r)
  else
    newEpoch(r)
    if r.st == 'open' then indexOpen(r) end
  end
end

return each(function(r, input)
  local token, base = text(input.token), whole(input.base)
  if r.ep == 0 then
    create(r, 1)
    r.fv = base
  end
  if r.ftok == token then return { accepted = true } end
  if r.fv ~= base then return { accepted = false } end
  local was = r.f
  r.f = (input.state == 'open' or input.state == 'closed') and input.state or ''
  r.fv, r.ftok = r.fv + 1, token
  if r.f == '' then
    lift(r, was)
  else
    newEpoch(r)
    if r.st == 'open' then indexOpen(r) end
  end
  indexForced(r)
  return { accepted = true }
end)
