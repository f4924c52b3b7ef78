"""A replica's part in the fleet protocol, for one target. Times are seconds of the monotonic clock."""

import collections
import random
import time
import urllib.error
import urllib.request

from client import Malformed, Refused, new_id, terms_hash

HEARTBEAT_S, URGENT_HEARTBEAT_S = 5.0, 0.5
REPORT_S = 0.1
CLAIM_AHEAD_S, CLAIM_JITTER_S, CLAIM_AGAIN_S = 0.25, 0.05, 0.15
RENEW_AHEAD_S = 0.3
MARGIN_MS = 100
LONGEST_OPEN_MS = 60_000
TRAFFIC_S = 600.0
GREATEST_LEAP = 1_000

Lease = collections.namedtuple("Lease", "token eid usable_until ends")


class Replica:
    def __init__(self, fleet, options):
        self.fleet = fleet
        self.options = options
        self.target = options["target"]
        self.view = None
        self.until = 0.0
        self.live = 0
        self.last_entry = None
        self.heard = []
        self.tally = collections.Counter()
        self._calls = collections.deque()
        self._asked = self._wants_seed = self._wants_view = self._awaits_call = False
        self._lease = self._pending = None
        self._next_beat = self._next_report = self._next_claim = 0.0
        self._used_at = float("-inf")

    @property
    def is_open(self):
        return self.view is not None and self.view["st"] == "open"

    @property
    def is_forced(self):
        return self.view is not None and self.view["f"] != ""

    def take(self, view, is_reply):
        """Believes a view, if it is news (R3, R4, R17)."""
        mine = self.view
        if view.get("target") != self.target:
            return
        if mine and (view["ep"] < mine["ep"] or view["fv"] < mine["fv"]):
            self._wants_seed |= is_reply
            if view["ep"] < mine["ep"]:
                return
        is_same_epoch = mine is not None and view["ep"] == mine["ep"]
        is_same_record = is_same_epoch and view["eid"] == mine["eid"]
        if view["ep"] == 0 or (is_same_record and view["fv"] <= mine["fv"]):
            return
        is_leap = mine is not None and view["ep"] - mine["ep"] > GREATEST_LEAP
        if not is_reply and (is_leap or (is_same_epoch and not is_same_record)):
            self._wants_view = True
            return
        if mine:
            self._calls.clear()
        if mine and mine["fv"] > view["fv"]:
            view = {**view, **{name: mine[name] for name in ("f", "fv", "ftok")}}
        self.view, self._lease, self._pending = view, None, None
        now = time.monotonic()
        self.until = now + min(view["rem"], LONGEST_OPEN_MS) / 1000
        if self.is_open or self.is_forced:
            self._next_beat = min(self._next_beat, now + URGENT_HEARTBEAT_S)
        self._next_claim = self.until - CLAIM_AHEAD_S + random.random() * CLAIM_JITTER_S
        self.heard.append({**view, "by": "reply" if is_reply else "stream"})

    def take_entry(self, entry):
        for view in entry["views"]:
            self.take(view, False)
        self._asked |= self.target in entry["asks"]

    def step(self):
        """Does what is due; asked many times a second."""
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + (URGENT_HEARTBEAT_S if self.is_open or self.is_forced else HEARTBEAT_S)
            self._beat()
        if self._wants_view:
            self._wants_view = self._tell("snapshot") is None
        if self._wants_seed:
            self._wants_seed = False
            self._seed(now)
        if now >= self._next_report or self._asked:
            self._next_report = now + REPORT_S
            self._report(now)
        if self.is_open and not self.is_forced:
            self._probe(now)

    def call(self):
        """Calls the upstream, if the fleet lets it: 'ok', 'failed' or 'refused'."""
        now, view, lease = time.monotonic(), self.view, None
        self._used_at, self._awaits_call = now, False
        if self.is_forced and view["f"] == "open":
            return "refused"
        if self.is_open and not self.is_forced:
            lease = self._lease
            if lease is None or not self.until <= now <= lease.usable_until:
                return "refused"
            self._lease = None
        ok = self._request()
        if lease is not None:
            self._pending = (lease, "ok" if ok else "fail")
        elif not self.is_forced:
            self._calls.append((now, ok))
        return "ok" if ok else "failed"

    def _request(self):
        try:
            with urllib.request.urlopen(self.options["upstream"], timeout=self.options["timeoutMs"] / 1000):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _tell(self, script, **more):
        """The reply on the target, which is believed; None where Redis is away."""
        try:
            replies = self.fleet.run(script, {"target": self.target, "nextId": new_id(), **more})
        except (OSError, Refused, Malformed, ValueError):
            return None
        mine = [reply for reply in replies if reply.get("target") == self.target]
        for reply in mine:
            self.take(reply, True)
        return mine[0] if mine else None

    def _beat(self):
        try:
            head, *unsettled = self.fleet.run("heartbeat")
        except (OSError, Refused, Malformed, ValueError):
            self._next_beat = min(self._next_beat, time.monotonic() + URGENT_HEARTBEAT_S)
            return
        self.live, self.last_entry = head["live"], head["cursor"]
        told = {each["target"]: each["ep"] for each in unsettled}.get(self.target)
        if told is None:
            self._wants_view |= self.is_open or self.is_forced
        else:
            self._wants_view |= self.view is None or told != self.view["ep"]

    def _seed(self, now):
        rem = max(0, int((self.until - now) * 1000)) if self.is_open else 0
        self._tell("seed", **{**self.view, "rem": rem, "maxOpenMs": LONGEST_OPEN_MS})

    def _report(self, now):
        while self._calls and self._calls[0][0] < now - self.options["windowMs"] / 1000:
            self._calls.popleft()
        failures = sum(not ok for _, ok in self._calls)
        if self.is_open or not (failures > 0 or (self._asked and self._calls)):
            return
        self._asked = False
        streak = next((n for n, (_, ok) in enumerate(reversed(self._calls)) if ok), len(self._calls))
        seen = {"calls": len(self._calls), "failures": failures, "streak": streak, "open": False}
        terms = {name: self.options[name] for name in ("failureRate", "minimumCalls", "streak", "windowMs")}
        terms.update(hash=terms_hash(*terms.values()), quorum=0.5)
        mine = self.view or {"ep": 0, "eid": ""}
        self._tell("report", ep=mine["ep"], eid=mine["eid"], **seen, terms=terms, openTerms=self._open_terms())

    def _open_terms(self):
        own = {name: self.options[name] for name in ("openMs", "maxOpenMs")}
        return {**own, "noticeMs": 0, "chance": random.random()}

    def _probe(self, now):
        lease = self._lease
        if self._pending is not None:
            self._settle(now, *self._pending)
        elif lease is not None and lease.usable_until - now < RENEW_AHEAD_S:
            reply = self._claim(now, "renew", lease.token)
            if reply is not None and "lease" not in reply and self._lease is lease:
                self._lease, self._pending = None, (lease, "unused")
                self._awaits_call = True
        elif lease is None and now >= self._next_claim and self._has_traffic(now):
            self._next_claim = max(now + CLAIM_AGAIN_S, self.until)
            self._claim(now, "claim", new_id())

    def _has_traffic(self, now):
        return not self._awaits_call and now - self._used_at < TRAFFIC_S

    def _claim(self, now, script, token):
        eid, timeout = self.view["eid"], self.options["timeoutMs"]
        wish = {"eid": eid, "token": token, "probes": self.options["probes"], "defer": False}
        reply = self._tell(script, **wish, timeoutMs=timeout, marginMs=MARGIN_MS)
        if reply is not None and "lease" in reply and self.view["eid"] == eid:
            ends = now + reply["lease"] / 1000
            self._lease = Lease(token, eid, ends - (timeout + MARGIN_MS) / 1000, ends)
        return reply

    def _settle(self, now, lease, verdict):
        if now > lease.ends:
            self._pending = None
            return
        pending, own = self._pending, {"eid": lease.eid, "token": lease.token}
        reply = self._tell("settle", **own, verdict=verdict, openTerms=self._open_terms())
        if reply is None:
            return
        self.tally[f"{verdict} {'counted' if reply['counted'] else 'too late'}"] += 1
        if self._pending is pending:
            self._pending = None
