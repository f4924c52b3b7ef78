"""The fleet protocol of docs/protocol.md over a raw socket: RESP2, scripts, checks. One server, no Cluster."""

import decimal
import hashlib
import json
import pathlib
import re
import secrets
import socket

COMMAND_S = 0.25
HANDSHAKE_S = 2.0
MOST_EPOCHS = 2**40
LONGEST_MS = 86_400_000


class Refused(Exception):
    """Redis has answered with an error."""


class Malformed(Exception):
    """Redis has answered what is no reply."""


class Connection:
    """Speaks RESP2 with one server. Whatever goes wrong, the next command begins with a new connection."""

    def __init__(self, host, port):
        self._address = (host, port)
        self._socket = None
        self._file = None
        self.fresh = True

    def call(self, seconds, *args):
        try:
            if self._socket is None:
                self._socket = socket.create_connection(self._address, HANDSHAKE_S)
                self._file = self._socket.makefile("rb")
                self.fresh = True
            self._socket.settimeout(seconds)
            self._socket.sendall(encode(args))
            return self._read()
        except (OSError, Malformed):
            self.close()
            raise

    def close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _read(self):
        line = self._file.readline()
        if not line.endswith(b"\r\n"):
            raise OSError("the connection has ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            return Refused(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else self._file.read(int(rest) + 2)[:-2].decode()
        if kind == b"*":
            return None if rest == b"-1" else [self._read() for _ in range(int(rest))]
        raise Malformed(repr(line))


def encode(args):
    parts = [str(arg).encode() for arg in args]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def load_scripts(folder):
    """The scripts' texts by name, and the version of the keys, from the package's Lua sources."""
    sources = {path.stem: path.read_text() for path in pathlib.Path(folder).glob("*.lua")}
    version = re.search(r"version: (\d+)", sources["record"]).group(1)
    code = {name: re.sub(r"^[ \t]*(--.*)?\n", "", text, flags=re.M) for name, text in sources.items()}
    record = code.pop("record")
    return {name: text if name == "primary" else record + text for name, text in code.items()}, version


class Fleet:
    """The scripts of one fleet, on behalf of one replica."""

    def __init__(self, host, port, folder, service, replica, prefix="healix"):
        self.scripts, version = load_scripts(folder)
        self.shas = {name: hashlib.sha1(text.encode()).hexdigest() for name, text in self.scripts.items()}
        self.tag = "{%s:v%s:%s}" % (prefix, version, service)
        self.replica = replica
        self.connection = Connection(host, port)
        self.run_id = None

    def keys(self, targets):
        own = [f"{self.tag}:{kind}:{target}" for target in targets for kind in "twl"]
        return [f"{self.tag}:{kind}" for kind in "smiof"] + own

    def run(self, name, *inputs):
        """Objects that a script replies, the views among them checked."""
        if self.run_id is None or self.connection.fresh:
            answer = self._evaluate("primary", [f"{self.tag}:s"], [])
            self.run_id = json.loads(answer[0])["run"]
            self.connection.fresh = False
        caller = {"replica": self.replica, "run": self.run_id}
        reply = self._evaluate(name, self.keys([each["target"] for each in inputs]), [caller, *inputs])
        objects = [json.loads(text) for text in reply]
        if name == "snapshot":
            return [objects[0], *map(check_view, objects[1:])]
        return [check_view(each) for each in objects] if inputs else objects

    def read(self, cursor, wait_ms):
        """Entries of the stream after `cursor`, and the cursor behind them. Blocks: has to have its own connection."""
        command = ["XREAD", "COUNT", 200, "BLOCK", wait_ms, "STREAMS", f"{self.tag}:s", cursor]
        reply = self._checked(self.connection.call(wait_ms / 1000 + HANDSHAKE_S, *command))
        if reply is None:
            return cursor, []
        rows = reply[0][1]
        return rows[-1][0], [check_entry(json.loads(fields[1])) for _, fields in rows if fields[0] == "e"]

    def _evaluate(self, name, keys, arguments):
        rest = [len(keys), *keys, *(json.dumps(argument) for argument in arguments)]
        reply = self.connection.call(COMMAND_S, "EVALSHA", self.shas[name], *rest)
        if isinstance(reply, Refused) and str(reply).startswith("NOSCRIPT"):
            reply = self.connection.call(HANDSHAKE_S, "EVAL", self.scripts[name], *rest)
        return self._checked(reply)

    @staticmethod
    def _checked(reply):
        if isinstance(reply, Refused):
            raise reply
        return reply


def check_view(view):
    if not isinstance(view, dict):
        raise Malformed(str(view)[:200])
    counts = {"ep": MOST_EPOCHS, "fv": MOST_EPOCHS, "n": 1_000, "rep": 1e9}
    texts = {"target": 2_048, "eid": 64, "ftok": 64}
    sound = (
        all(isinstance(view.get(name), int) and 0 <= view[name] < most for name, most in counts.items())
        and all(isinstance(view.get(name), str) and len(view[name]) <= most for name, most in texts.items())
        and all(isinstance(view.get(name), (int, float)) and 0 <= view[name] <= LONGEST_MS for name in ("rem", "dur"))
        and view.get("st") in ("open", "closed")
        and view.get("f") in ("", "open", "closed")
    )
    if not sound:
        raise Malformed(str(view)[:200])
    return view


def check_entry(entry):
    if not isinstance(entry, dict):
        raise Malformed(str(entry)[:200])
    return {"views": [check_view(view) for view in entry.get("views", [])], "asks": entry.get("asks", [])}


def new_id():
    return secrets.token_hex(10)


def terms_hash(failure_rate, minimum_calls, streak, window_ms):
    text = ",".join(map(number, (failure_rate, minimum_calls, streak, window_ms)))
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 % 2**32
    digits = ""
    while value > 0 or digits == "":
        value, digit = divmod(value, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def number(value):
    """As JavaScript writes it."""
    text = repr(float(value))
    if value >= 1e-6:
        text = format(decimal.Decimal(text), "f")
    return re.sub(r"\.0$", "", text).replace("e-0", "e-")
