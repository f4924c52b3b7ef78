"""A replica that a test drives: options as JSON in the first argument, JSON commands on stdin, replies on stdout."""

import json
import queue
import random
import sys
import threading
import time

from client import Fleet, Malformed, Refused, new_id, terms_hash
from replica import Replica

STEP_S = 0.02
WAIT_MS = 1_000

options = json.loads(sys.argv[1])
replica_id = new_id()
inbox = queue.Queue()


def connect():
    return Fleet(options["host"], options["port"], options["scripts"], options["service"], replica_id)


fleet = connect()
replica = Replica(fleet, options)


def follow():
    """Snapshot first, then the stream, over a connection of its own (R16)."""
    reader, cursor = connect(), None
    while True:
        try:
            last = replica.last_entry
            if cursor is None or (last is not None and order(cursor) > order(last)):
                head, *views = reader.run("snapshot", {"target": options["target"]})
                cursor = head["cursor"]
                replica.last_entry = None
                inbox.put(("views", views))
            cursor, entries = reader.read(cursor, WAIT_MS)
            inbox.put(("entries", entries))
        except (OSError, Refused, Malformed, ValueError, KeyError):
            cursor = None
            time.sleep(random.random() * 0.25)


def order(entry_id):
    return tuple(map(int, entry_id.split("-")))


def listen():
    for line in sys.stdin:
        inbox.put(("command", json.loads(line)))
    inbox.put(("end", None))


def obey(command):
    if "terms" in command:
        return terms_hash(*command["terms"])
    if "load" in command:
        load["per_second"] = command["load"]
    seen = {"view": replica.view, "heard": replica.heard, "live": replica.live, "tally": replica.tally}
    return {"replica": replica_id, "digests": fleet.shas, **seen}


def work_through(kind, what):
    if kind == "views":
        for view in what:
            replica.take(view, True)
    if kind == "entries":
        for entry in what:
            replica.take_entry(entry)
    if kind == "command":
        print(json.dumps(obey(what)), flush=True)


load = {"per_second": 0, "next": 0.0}
for work in (follow, listen):
    threading.Thread(target=work, daemon=True).start()
while True:
    try:
        kind, what = inbox.get(timeout=STEP_S)
    except queue.Empty:
        kind, what = "nothing", None
    if kind == "end":
        break
    work_through(kind, what)
    replica.step()
    if load["per_second"] > 0 and time.monotonic() >= load["next"]:
        load["next"] = time.monotonic() + 1 / load["per_second"]
        replica.tally[replica.call()] += 1
fleet.run("leave")
