-- Takes in what a replica has seen of targets, and opens those where that is reason enough (R6 to R9).
--
-- ARGV  {target, ep, eid, calls, failures, streak, open(bool), nextId, terms, openTerms} a target
--   ep, eid: the reporter's view. nextId: id of the epoch that this report may begin.
--   streak: failures since the last success.
--   terms: {failureRate, minimumCalls, streak, windowMs, quorum, hash}. openTerms: {openMs, maxOpenMs, noticeMs, chance}
-- Reply  a view a target

local aloneKnown

local function alone()
  if aloneKnown == nil then
    dropMembers()
    local others = redis.call('ZRANGE', members, 0, 1)
    local born = whole(redis.call('HMGET', membership, 'born')[1])
    aloneKnown = #others == 1 and others[1] == replica and born > 0 and now - born > 10000
  end
  return aloneKnown
end

local function sum(kept, terms)
  local rate, hash = number(terms.failureRate), text(terms.hash)
  local s = { reporters = 0, calls = 0, failures = 0, failing = 0, open = 0, second = 0, streak = 0, inStreak = 0,
    longest = 0, nextLongest = 0 }
  for _, report in ipairs(kept) do
    if report.hash == hash then
      s.reporters, s.calls, s.failures = s.reporters + 1, s.calls + report.calls, s.failures + report.failures
      if report.failures >= 2 and report.failures / report.calls >= rate then s.failing = s.failing + 1 end
      if report.open then s.open = s.open + 1 end
      s.streak = s.streak + report.streak
      if report.streak >= 2 then s.inStreak = s.inStreak + 1 end
      s.nextLongest = math.max(s.nextLongest, math.min(s.longest, report.streak))
      s.longest = math.max(s.longest, report.streak)
      local worst = s.worst
      if not worst or report.failures > worst.failures
        or (report.failures == worst.failures and report.calls < worst.calls) then
        s.worst, s.second = report, worst and worst.failures or 0
      else
        s.second = math.max(s.second, report.failures)
      end
    end
  end
  return s
end

local function suspect(r, s, terms, windowMs)
  local needed = math.max(1, math.ceil(number(terms.minimumCalls) * number(terms.failureRate)))
  if s.failures < needed / 2 and s.streak < number(terms.streak) / 2 and s.open == 0 then return end
  if r.askN == 0 or now - r.askN > math.max(windowMs, 1000) then r.ask1 = now end
  if r.askN == 0 or now - r.askN >= 500 then
    r.askN = now
    asked[#asked + 1] = r.target
  end
end

-- R8: the worst reporter counts no more than the second worst, and the rest must have trouble without it.
local function byRate(s, terms)
  local rate, minimum = number(terms.failureRate), number(terms.minimumCalls)
  if alone() then return s.calls >= minimum and s.calls > 0 and s.failures / s.calls >= rate end
  local worst = s.worst
  local scale = worst.failures > 0 and s.second / worst.failures or 1
  local calls = s.calls - worst.calls * (1 - scale)
  local failures = s.failures - worst.failures + s.second
  local restCalls, restFailures = s.calls - worst.calls, s.failures - worst.failures
  return calls >= minimum and calls > 0 and failures / calls >= rate
    and restCalls >= minimum / 2 and restCalls > 0 and restFailures / restCalls >= rate
end

-- As by the rate: what has failed in a row, wherever it was called from, since windows may be full of successes.
local function byStreak(s, terms)
  local needed, rest = math.max(1, number(terms.streak)), s.streak - s.longest
  if alone() then return s.streak >= needed end
  return rest + s.nextLongest >= needed and rest >= needed / 2
end

local function trips(r, s, terms)
  local asked200 = r.ask1 > 0 and now - r.ask1 >= 200
  if not asked200 and not alone() then return false end
  local quorum = alone() and 1 or math.max(2, math.ceil(number(terms.quorum) * s.reporters))
  return s.open >= quorum or (s.failing >= quorum and byRate(s, terms)) or (s.inStreak >= quorum and byStreak(s, terms))
end

local function evaluate(r, terms, openTerms)
  local windowMs = number(terms.windowMs)
  local kept = reports(r)
  r.ev, r.evn = now, #kept
  local s = sum(kept, terms)
  if not s.worst then return end
  suspect(r, s, terms, windowMs)
  if not trips(r, s, terms) then return end
  if r.ca == 0 or now - r.ca > windowMs then r.n = 0 end
  open(r, openTerms)
end

local function store(r, input, terms)
  local hash = string.gsub(text(terms.hash), '%s', '')
  local value = table.concat({ hash, written(whole(input.calls)), written(whole(input.failures)),
    written(whole(input.streak)), input.open == true and '1' or '0', written(now) }, ' ')
  r.rep = r.rep + redis.call('HSET', r.reportKey, replica, value)
  r.wt = now
  redis.call('PEXPIRE', r.reportKey, DAY)
end

return each(function(r, input)
  local terms = list(input.terms)
  if r.ep == 0 then
    create(r, whole(input.ep))
    r.sd = '1'
  elseif text(input.eid) ~= r.eid or r.st == 'open' then
    return
  end
  if r.f ~= '' then return end
  store(r, input, terms)
  if (now - r.ev < 100 and r.evn > 20) then return end
  evaluate(r, terms, input.openTerms)
end)
