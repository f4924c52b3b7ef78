-- version: 1
--
-- What all scripts of the fleet share: this file is put before each of them. docs/protocol.md has the rules and their
-- reasons; "R2" and the like name them.
--
-- KEYS  all in one slot, as they share the tag `{PREFIX:v1:SERVICE}`
--   1 TAG:s  stream of entries {views?, asks?}, in the field `e`; at most some 10,000
--   2 TAG:m  sorted set, replica -> its last heartbeat
--   3 TAG:i  hash, born -> when the membership began
--   4 TAG:o  sorted set, target -> epoch, of the targets whose record is open
--   5 TAG:f  hash, target -> forced version, of the targets that a person holds
--   then three for each target that ARGV names, in its order:
--     TAG:t:TARGET  hash, the record (NUMBERS and TEXTS below)
--     TAG:w:TARGET  hash, reports: replica -> "hash calls failures streak open(0|1) at"
--     TAG:l:TARGET  hash, leases: token -> "replica ms end state(held|used|settled)"
--   heartbeat and snapshot also read TAG:t:TARGET of targets that they find in TAG:o and TAG:f: the same slot.
-- ARGV  JSON objects
--   1 the caller: {replica, run}. run: run_id of the primary that the caller speaks to, '' if unknown
--   then one for each target; the header of each script has its fields. Ms and counts are numbers, the rest strings.
-- Reply  an array of JSON objects. A view of a record is
--   {target, ep, eid, st(open|closed), rem, dur, n, f(''|open|closed), fv, ftok, rep}
--   rem: ms until it is due. dur: the epoch's whole open time. n: openings without a calm. f, fv, ftok: what a person
--   decided, how many decisions there were, the token of the last. rep: replicas with reports. No record: ep is 0.
--
-- Times in keys are ms since 1970 by this server's clock, always whole. A number that cannot be read counts as 0.

local DAY, TEN_YEARS = 86400000, 315360000000
local MEMBER_MS = 15000
local MOST_EPOCHS, LONGEST_ID = 2 ^ 40, 64

-- until: when an open target is due. run: where it was last written. sd: '1' if made from what a replica believed.
-- grants, ok, ko: probes of this epoch. p: probes an epoch may have, 0 before the first. ca: when it last closed.
-- ask1, askN: first and last ask of the suspicion. ev, evn: last evaluation, and the reports it saw.
-- want: when a claim last found no free probe. rep: reports stored. wt: when the last one was.
local NUMBERS = { 'ep', 'until', 'dur', 'n', 'fv', 'grants', 'ok', 'ko', 'p', 'ca', 'ask1', 'askN', 'ev', 'evn', 'want',
  'rep', 'wt' }
local TEXTS = { 'eid', 'st', 'f', 'ftok', 'run', 'sd' }

local function number(value)
  local read = tonumber(value)
  if not read or read ~= read or read < 0 or read > 1e14 then return 0 end
  return read
end

local function whole(value) return math.floor(number(value)) end

local function text(value) return type(value) == 'string' and value or '' end

local function list(value) return type(value) == 'table' and value or {} end

local function written(value)
  return type(value) == 'number' and string.format('%.14g', value) or value
end

-- A key that holds nothing of ours (another type, a stream whose ids are used up) goes: else it would fail every call
-- that touches it, for ever.
local server = redis
local redis = { call = function(...)
  local done, reply = pcall(server.call, ...)
  if done then return reply end
  local why = type(reply) == 'table' and reply.err or tostring(reply)
  if string.find(why, 'WRONGTYPE', 1, true) or string.find(why, 'exhausted the last', 1, true) then
    server.call('DEL', (select(2, ...)))
  end
  return server.call(...)
end }

local time = redis.call('TIME')
local now = whole(time[1]) * 1000 + math.floor(whole(time[2]) / 1000)
local caller = list(cjson.decode(ARGV[1]))
local replica, run = text(caller.replica), text(caller.run)
local inputs = {}
for i = 2, #ARGV do inputs[i - 1] = list(cjson.decode(ARGV[i])) end
local stream, members, membership, opens, forces = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local tag = string.sub(stream, 1, -3)
local changed, asked = {}, {}

-- What no script has written counts as no record: it is made anew, from what replicas believe.
local function isRecord(r)
  return r.ep < MOST_EPOCHS and r.fv < MOST_EPOCHS and r.dur <= DAY and r.eid ~= '' and #r.eid <= LONGEST_ID
    and #r.ftok <= LONGEST_ID
end

local function read(key, target)
  local reply, stored, was = redis.call('HGETALL', key), {}, {}
  for i = 1, #reply, 2 do stored[reply[i]] = reply[i + 1] end
  local r = { key = key, target = target, was = was, ids = 0 }
  for _, name in ipairs(NUMBERS) do
    was[name] = stored[name] and whole(stored[name]) or 0
    r[name] = was[name]
  end
  for _, name in ipairs(TEXTS) do
    was[name] = stored[name] or ''
    r[name] = was[name]
  end
  if r.ep > 0 and not isRecord(r) then
    for name in pairs(was) do r[name] = type(was[name]) == 'number' and 0 or '' end
  end
  if r.st ~= 'open' then r.st = 'closed' end
  if r.f ~= 'open' and r.f ~= 'closed' then r.f = '' end
  if r.n > 30 then r.n = 30 end
  return r
end

local function save(r)
  if r.ep == 0 then return end
  local args = {}
  for name, value in pairs(r.was) do
    if r[name] ~= value then
      args[#args + 1] = name
      args[#args + 1] = written(r[name])
    end
  end
  if #args == 0 then return end
  redis.call('HSET', r.key, unpack(args))
  redis.call('PEXPIRE', r.key, r.f ~= '' and TEN_YEARS or DAY)
end

local function view(r)
  local rem = r.st == 'open' and math.max(0, r['until'] - now) or 0
  return { target = r.target, ep = r.ep, eid = r.eid, st = r.st, rem = rem, dur = r.dur, n = r.n, f = r.f, fv = r.fv,
    ftok = r.ftok, rep = r.rep }
end

local function cursor()
  local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end

-- One entry a call at most, with all that it changed.
local function publish()
  if #changed == 0 and #asked == 0 then return end
  local entry = { views = #changed > 0 and changed or nil, asks = #asked > 0 and asked or nil }
  redis.call('XADD', stream, 'MAXLEN', '~', 10000, '*', 'e', cjson.encode(entry))
  redis.call('PEXPIRE', stream, DAY)
end

local function indexOpen(r)
  if r.st == 'open' then
    redis.call('ZADD', opens, r.ep, r.target)
    redis.call('PEXPIRE', opens, DAY)
  else
    redis.call('ZREM', opens, r.target)
  end
end

local function indexForced(r)
  if r.f ~= '' then
    redis.call('HSET', forces, r.target, r.fv)
    redis.call('PEXPIRE', forces, TEN_YEARS)
  else
    redis.call('HDEL', forces, r.target)
  end
end

-- The caller brings one id; should a call need two, the second is marked.
local function takeId(r)
  r.eid = r.nextId .. string.rep("'", r.ids)
  r.ids = r.ids + 1
end

local function voidProbes(r)
  r.grants, r.ok, r.ko, r.p = 0, 0, 0, 0
  redis.call('DEL', r.leaseKey)
end

local function newEpoch(r)
  r.ep = r.ep + 1
  takeId(r)
  voidProbes(r)
  r.ask1, r.askN, r.ev, r.evn, r.sd = 0, 0, 0, 0, ''
  r.news = true
end

local function forgetReports(r)
  redis.call('DEL', r.reportKey)
  r.rep, r.wt = 0, 0
end

local function openTime(terms, n)
  local chance = math.min(number(terms.chance), 1)
  local grown = number(terms.openMs) * 2 ^ math.min(n, 30) * (0.8 + 0.4 * chance)
  local most = number(terms.maxOpenMs) * (0.8 + 0.2 * chance)
  return math.floor(math.max(math.min(grown, most), math.min(number(terms.noticeMs), 60000)))
end

local function open(r, terms)
  newEpoch(r)
  forgetReports(r)
  r.st, r.dur = 'open', openTime(list(terms), r.n)
  r.n = math.min(r.n + 1, 30)
  r['until'] = now + r.dur
  indexOpen(r)
end

local function close(r)
  newEpoch(r)
  forgetReports(r)
  r.st, r['until'], r.dur, r.ca = 'closed', 0, 0, now
  indexOpen(r)
end

-- Another round of probes, at once: nothing was decided by the last (R11).
local function dueNow(r)
  newEpoch(r)
  r.st, r['until'] = 'open', now
  indexOpen(r)
end

-- Reports that can be read, by replica. Dropped are those from after now, and those that were not told again: who uses a
-- target that is in trouble tells again and again, and what is old may be of a process that has died.
local function reports(r)
  local stored, kept, count = redis.call('HGETALL', r.reportKey), {}, 0
  for i = 1, #stored, 2 do
    local hash, calls, failures, streak, isOpen, at =
      string.match(stored[i + 1], '^(%S*) (%d+) (%d+) (%d+) ([01]) (%d+)$')
    at = whole(at)
    if not hash or at > now or now - at > 2000 then
      redis.call('HDEL', r.reportKey, stored[i])
    else
      count = count + 1
      kept[count] = { hash = hash, calls = whole(calls), failures = whole(failures), streak = whole(streak),
        open = isOpen == '1' }
    end
  end
  r.rep = count
  return kept
end

local function setLease(r, token, lease)
  local value = table.concat({ lease.replica, written(lease.ms), written(lease.ends), lease.state }, ' ')
  redis.call('HSET', r.leaseKey, token, value)
  redis.call('PEXPIRE', r.leaseKey, DAY)
end

local function leases(r)
  local stored, found = redis.call('HGETALL', r.leaseKey), {}
  for i = 1, #stored, 2 do
    local holder, ms, ends, state = string.match(stored[i + 1], '^(.*) (%d+) (%d+) (%a+)$')
    found[stored[i]] = { replica = text(holder), ms = whole(ms), ends = whole(ends), state = state or 'used' }
  end
  return found
end

local function anyHeld(found)
  for _, lease in pairs(found) do
    if lease.state == 'held' then return true end
  end
  return false
end

-- Has a lease last as long as `input` asks for, from now on, or from when the target is due.
local function lend(r, token, lease, input)
  lease.ms = 2 * whole(input.timeoutMs) + whole(input.marginMs)
  lease.ends = math.max(now, r['until']) + lease.ms
  setLease(r, token, lease)
  return { lease = lease.ends - now }
end

-- R5: what says that it is from after now was written by a clock that was ahead.
local function repair(r)
  if r.st == 'open' and r['until'] > now + r.dur then r['until'] = now + r.dur end
  if r.ca > now then r.ca = now end
  for _, name in ipairs({ 'ask1', 'askN', 'ev', 'want' }) do
    if r[name] > now then r[name] = 0 end
  end
  if r.wt > now then
    reports(r)
    r.wt = now
  end
  if r.grants > 0 then
    for token, lease in pairs(leases(r)) do
      local latest = math.max(now, r['until']) + lease.ms
      if lease.ends > latest then
        lease.ends = latest
        setLease(r, token, lease)
      end
    end
  end
end

-- Those from after now, and those that are silent. Never a script's first write: after one that frees memory, a server
-- that is full would take all others too.
local function dropMembers()
  redis.call('ZREMRANGEBYSCORE', members, '-inf', '(' .. written(now - MEMBER_MS))
  redis.call('ZREMRANGEBYSCORE', members, '(' .. written(now), '+inf')
end

-- R2: another primary may have lost what the last one told of this epoch.
local function checkPrimary(r)
  if run == '' or r.run == run then return end
  if r.run ~= '' and r.st == 'open' then
    r.ep = r.ep + 1
    takeId(r)
    voidProbes(r)
    indexOpen(r)
    r.news = true
  end
  r.run = run
end

local function create(r, epoch)
  r.ep = math.max(1, epoch)
  takeId(r)
  r.run = run
  voidProbes(r)
end

-- Runs `operate` on each target's record; the reply is the view, with what `operate` adds to it.
local function each(operate)
  local replies = {}
  for i, input in ipairs(inputs) do
    local first = 3 * i + 3
    local r = read(KEYS[first], text(input.target))
    r.reportKey, r.leaseKey, r.nextId = KEYS[first + 1], KEYS[first + 2], text(input.nextId)
    if r.ep > 0 then
      repair(r)
      checkPrimary(r)
    end
    local added = operate(r, input)
    save(r)
    if r.news then changed[#changed + 1] = view(r) end
    local reply = view(r)
    for name, value in pairs(added or {}) do reply[name] = value end
    replies[i] = cjson.encode(reply)
  end
  dropMembers()
  publish()
  return replies
end
