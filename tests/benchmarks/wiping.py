"""`make bench-wipe`: from filing an order to keys destroyed, with 500 devices besides; what an idle line costs both
ends; how soon the system's lock covers and closes.

A real server in a process of its own, TLS on loopback; a laptop in another one, with the real keyring, a SQLCipher
store and its held line. The twin, by turns in the same run: a byte over a bare TLS line, upon which as many keyring
entries are deleted by the library alone. `FIELDKEEP_BENCH_WIPES` is the number of wipes (200), `FIELDKEEP_BENCH_LINES`
that of the other devices (500); `FIELDKEEP_BENCH_ONLY` names parts, parted by commas: alone, among, lock. Prints a
table and writes build/bench/wipe.json; an aim that is missed is said, not a failure.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import psutil

from sync.client.pace import POKED_S
from sync.compose import offices
from sync.console import desk
from sync.console.ports import Office
from sync.protocol import signing
from sync.protocol.documents import WIPE, Target
from tests.benchmarks import locking, million
from tests.benchmarks.__main__ import ONLY, chosen, machine
from tests.benchmarks.lines import POKE, Lines, request
from tests.benchmarks.measure import Act, Aim, at, keep, say, table
from tests.server.driver import Device, Tls
from tests.server.running import Org

WIPES: Final = "FIELDKEEP_BENCH_WIPES"
LINES: Final = "FIELDKEEP_BENCH_LINES"
IDLE_S: Final = 40.0  # two heartbeats
PERSON: Final = "ana@example.com"
_LOOPBACK: Final = Path("/sys/class/net/lo/statistics/rx_bytes")
_RANKS: Final = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))


class Child:
    """The laptop's process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.doomed"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def tell(self, verb: str, **asked: Any) -> None:
        """Have it do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": verb, **asked}) + "\n")
        self._process.stdin.flush()

    def answer(self) -> Any:
        """What it says of it."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the laptop's process ended")
        return json.loads(line)

    def ask(self, verb: str, **asked: Any) -> Any:
        """Both."""
        self.tell(verb, **asked)
        return self.answer()

    def end(self) -> None:
        """Let it go."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(30)


@dataclass
class Times:
    """Milliseconds since an order was filed, wipe by wipe."""

    filed: list[float] = field(default_factory=list)  # the server has answered whoever filed it
    intent: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    receipt: list[float] = field(default_factory=list)  # with the server, the sealed outbox too
    bare: list[float] = field(default_factory=list)


@dataclass
class Ground:
    """What the measured wipes run on."""

    org: Org
    office: Office
    url: str
    child: Child
    server: psutil.Process
    folder: Path
    count: int = 0

    def laptop(self) -> Any:
        """Another laptop that holds its line."""
        self.count += 1
        name, code = f"laptop-{self.count}", self.office.enrol_code(PERSON)
        return self.child.ask("enrol", profile=str(self.folder / name), code=code, name=name)


def main(words: Sequence[str] = ()) -> int:
    """Measure, print, keep: in the file that is named, or in its place."""
    wipes, lines = (int(os.environ.get(name, most)) for name, most in ((WIPES, "200"), (LINES, "500")))
    say(f"{dt.datetime.now().astimezone():%Y-%m-%d %H:%M}, {wipes} wipes, {lines} devices besides")
    say(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    parts = chosen(os.environ.get(ONLY, ""), tuple(PARTS))
    acts = [act for part in parts for act in PARTS[part](wipes, lines)]
    keep(acts, Path(words[0]) if words else million.FOLDER / "wipe.json")
    say(table(acts))
    return 0


def alone(wipes: int, _lines: int) -> list[Act]:
    """One laptop after the other, with nobody else there."""
    with ground() as made:
        times = _wiped(made, wipes)
    return [
        *_spread("an order filed to keys destroyed", times.keys, times.bare, Aim(most=1_000)),
        *_spread("the same: to the intent on the disk", times.intent),
        *_spread("the same: to the receipt with the server", times.receipt),
        Act("filing an order, p50", at(times.filed, 0.5), None),
    ]


def among(wipes: int, lines: int) -> list[Act]:
    """A fourth as many among other devices that hold their lines, and what such lines cost."""
    with ground() as made, _crowd(made, lines) as size:
        acts = _idle(made, lines, size, IDLE_S if lines >= 100 else 1.0)
        times = _wiped(made, max(1, wipes // 4))
    said = f"an order filed to keys destroyed, {lines} devices besides"
    return [*acts, *_spread(said, times.keys, times.bare, Aim(most=1_000))]


def locks(wipes: int, _lines: int) -> list[Act]:
    """The window, at the system's word."""
    covered, closed = locking.run(60 if wipes >= 100 else 3, 20_000 if wipes >= 100 else 20)
    return [
        *_spread("the system's lock to a covered window", covered.ms, aim=Aim(most=covered.most)),
        *_spread("the same: to a closed store, no key", closed.ms, aim=Aim(most=closed.most)),
    ]


PARTS: Final[dict[str, Callable[[int, int], list[Act]]]] = {"alone": alone, "among": among, "lock": locks}


@contextlib.contextmanager
def ground() -> Iterator[Ground]:
    """An organisation, its server, and a laptop's process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        org = Org(folder / "org", Path(sys.executable).parent)
        org.folder.mkdir()
        org.init()
        org.admin("person", "add", PERSON, "--role", "rep", "--team", "Sales")
        org.admin("person", "add", "idle@example.com", "--role", "rep", "--team", "Others")
        server, child = org.serve_command(), Child()
        try:
            with offices.open_at(org.data) as office:
                yield Ground(org, office, server.url, child, psutil.Process(server.process.pid), folder)
        finally:
            child.end()
            server.stop()


def _wiped(made: Ground, count: int) -> Times:
    """So many laptops, each wiped while it is online; after each the twin."""
    times = Times()
    for _each in range(count):
        laptop = made.laptop()
        key = desk.order_key(made.office, made.org.keys, lambda: "")
        order = desk.drawn_up(
            made.office.draft(), WIPE, [Target(enrolment=laptop["enrolment"], name="laptop")], "lost"
        )
        envelope = signing.sign(order, (key.admin_id, key.signing)).to_bytes()
        threading.Event().wait(
            POKED_S
        )  # a laptop at rest: right after an exchange the next one waits for so long
        made.child.tell("wiped")
        began = time.monotonic_ns()
        made.office.file(envelope)
        times.filed.append((time.monotonic_ns() - began) / 1e6)
        done = made.child.answer()
        for name, kept in (("W1", times.intent), ("W2", times.keys), ("W6", times.receipt)):
            kept.append((done[name] - began) / 1e6)
        times.bare.append(_bare(made))
        shutil.rmtree(made.folder / f"laptop-{made.count}")
    return times


def _bare(made: Ground) -> float:
    """A byte over TLS, and the entries gone: milliseconds."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(made.org.secrets / "tls.crt", made.org.secrets / "tls.key")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made.child.tell("bare", port=listening.getsockname()[1])
        plain, _address = listening.accept()
        with plain, context.wrap_socket(plain, server_side=True) as line:
            line.recv(1)
            began = time.monotonic_ns()
            line.sendall(b"w")
            return float(made.child.answer()["gone"] - began) / 1e6


@contextlib.contextmanager
def _crowd(made: Ground, count: int) -> Iterator[float]:
    """So many other devices hold their lines meanwhile; KiB of the server's memory for each."""
    lines, devices = Lines(), []
    try:
        for number in range(count):
            device = Device(Tls(made.url, None), f"idle-{number}")
            device.enrol(made.office.enrol_code("idle@example.com"))
            device.sign_in()
            device.send.close()  # type: ignore[attr-defined]
            devices.append(device)
        before = made.server.memory_info().rss
        for device in devices:
            lines.open(urlsplit(made.url).port or 0, request(device), POKE)
        yield (made.server.memory_info().rss - before) / 1024 / max(1, count)
    finally:
        lines.close()


def _idle(made: Ground, count: int, size: float, seconds: float) -> list[Act]:
    """What lines with nothing to say cost: the crowd's at the server, one laptop's at its own end."""
    laptop = made.laptop()
    here, there = made.child.ask("rest"), sum(made.server.cpu_times()[:2])
    bytes_before = int(_LOOPBACK.read_text())
    threading.Event().wait(seconds)  # nothing is waited for: this is what is measured
    passed = int(_LOOPBACK.read_text()) - bytes_before
    spent, after = sum(made.server.cpu_times()[:2]) - there, made.child.ask("rest")
    made.child.ask("close")
    note = f"over {seconds:.0f} s"
    return [
        Act("an idle line: memory of the server", size, None, Aim(most=40), "KiB"),
        Act("an idle line: bytes a minute, both ways", passed * 60 / seconds / (count + 1), None, unit="B", note=note),
        Act("an idle line: processor of the server, an hour",
            spent * 1000 * 3600 / seconds / (count + 1), None, unit="ms", note=note),
        Act("an idle line: memory of the laptop, with its engine", laptop["line_rss"] / 1024, None, unit="KiB"),
        Act("an idle line: processor of the laptop, a minute",
            (after["cpu"] - here["cpu"]) * 1000 * 60 / seconds, None, unit="ms", note=note),
    ]  # fmt: skip


def _spread(act: str, ours: Sequence[float], twin: Sequence[float] = (), aim: Aim | None = None) -> list[Act]:
    """Three acts of one set of samples; the aim is for the last."""
    return [
        Act(f"{act}, {name}", at(ours, part), at(twin, part) if twin else None,
            aim if aim and name == "p99" else Aim())
        for part, name in _RANKS
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
