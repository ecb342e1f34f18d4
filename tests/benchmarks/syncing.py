"""`make bench-sync`: a first download, an upload, a pull and an exchange without news, beside Anki and our own limit.

Laptops of one person, a real server in a process of its own, TLS on loopback, the stores encrypted and searchable. The
first download is by a ready part, made before as it is for whoever gets a code, and once more by pages alone. How soon
an edit is known on the other laptop is told of two engines with held lines, up to the row read anew: painting it comes
on top. `FIELDKEEP_BENCH_SIZE` is the number of customers (100,000). Prints a table and writes build/bench/sync.json; an
aim that is missed is said, not a failure. Bytes are those of the loopback interface, packets' heads with them.
"""

from __future__ import annotations

import datetime as dt
import os
import queue
import random
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from unittest import mock

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from app.changes import SYNC, Changes
from app.keys.secret import SecretBytes
from app.paths import Profile
from app.services import ready_road
from app.services.opening import open_session
from app.services.session import Session
from app.services.syncing import Keeping, Syncing
from app.store import lists, records
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.pace import SETTLE_S
from sync.client.ports import Answer
from sync.protocol import sealing
from sync.protocol.codec import Raw, pack
from sync.protocol.ids import new_device_id, new_incarnation, new_record_id
from sync.protocol.kinds import KINDS
from sync.protocol.messages import PAGE_ROWS, Change, Cursor
from tests.benchmarks import desktop, million, peers
from tests.benchmarks.__main__ import machine
from tests.benchmarks.apply_page import customer
from tests.benchmarks.measure import Act, Aim, at, keep, say, table
from tests.benchmarks.recorder import Recorder, replay
from tests.ui.organisation import PERSON, Organisation, organisation

CUSTOMER: Final = KINDS["customer"]
POLLS: Final = 200
EDITS: Final = 40
_LOOPBACK: Final = Path("/sys/class/net/lo/statistics/rx_bytes")


def main() -> int:
    """Measure, print, keep."""
    count = int(os.environ.get(million.SIZE, "100_000"))
    changes, pulled = max(1, count // 10), max(1, count // 100)
    say(f"{dt.datetime.now().astimezone():%Y-%m-%d %H:%M}, {count:,} customers")
    say(f"{machine()}, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder, organisation(Path(folder), "Bench Ltd") as org:
        ours = _ours(org, count, changes, pulled)
    theirs = peers.anki(count, changes, pulled)
    limit = _limit(count)
    first, sent = f"first download of {count:,}", f"upload of {changes:,} changes"
    fetched, quiet = f"pull of {pulled:,} of {count:,}", "exchange without news, line kept"
    ahead, above = Aim(ratio=1), Aim(most=round(ours["bare_mb"] + 120))
    acts = [
        Act(f"{first}, searchable, against Anki", ours["initial"], theirs["initial"], ahead, "s"),
        Act(f"{first}: its first rows", ours["first"], None, Aim(most=0.5), "s"),
        Act(f"{first}: bytes", ours["initial_mb"], None, unit="MB"),
        Act(f"{first}: processor time of the laptop", ours["initial_cpu"], None, unit="s"),
        Act("making the part, beforehand", ours["making"], None, unit="s"),
        Act(f"{first} by pages, against its rows written at once", ours["pages"], limit, Aim(ratio=1.1), "s"),
        Act(f"{first} by pages: processor time of the laptop", ours["pages_cpu"], None, unit="s"),
        Act(f"{sent}, against Anki", ours["upload"], theirs["upload"], ahead, "s"),
        Act(f"{sent}, bytes", ours["upload_mb"], None, Aim(most=0.6), "MB"),
        Act("own changes that come back after it", ours["echo_kb"], None, Aim(most=5), "kB"),
        Act(f"{fetched}, against Anki", ours["pull"], theirs["pull"], ahead, "s"),
        Act(f"{fetched}, bytes", ours["pull_mb"], None, Aim(most=0.13), "MB"),
        Act(f"{quiet}, p50, beside Anki", ours["poll"], theirs["poll"] * 1000, Aim(most=1.2)),
        Act(f"{quiet}, bytes", ours["poll_kb"], None, Aim(most=0.6), "kB"),
        Act("an edit known on another laptop, beyond settling, p50", ours["known_p50"], None, Aim(most=150)),
        Act("the same, p99", ours["known_p99"], None, Aim(most=500)),
        Act(f"first upload of {count:,}", ours["first_upload"], None, unit="s"),
        Act(
            f"memory of a process that downloads {count:,}, at most",
            ours["sync_mb"],
            ours["bare_mb"],
            above,
            "MB",
        ),
        Act(
            f"memory of the desktop, {count:,} listed, after use",
            ours["window_mb"],
            ours["bare_mb"],
            above,
            "MB",
        ),
    ]
    keep(acts, million.FOLDER / "sync.json")
    say(table(acts))
    return 0


def _ours(org: Organisation, count: int, changes: int, pulled: int) -> dict[str, float]:
    found: dict[str, float] = {}
    with open_session(org.laptop("one", PERSON)) as first:
        here = Syncing(first)
        try:
            first.call(_add, count)
            found["first_upload"] = _timed(here.round)
            other, plain = org.laptop("other", PERSON), org.laptop("plain", PERSON)
            found["making"] = _timed(lambda: _part_made(org, count))
            with mock.patch.object(ready_road, "LEAST", 2**53), open_session(plain) as third:
                _soon, found["pages"], found["pages_cpu"] = _first_download(third, Syncing(third), count)
            with open_session(other) as second:
                _between(first, here, second, (count, changes, pulled), found)
            found["sync_mb"] = _most_held(org.laptop("weighed", PERSON))
            bare, held = desktop.held_with(other)
            found["bare_mb"], found["window_mb"] = bare["rss"], held["used"]["rss"]
        finally:
            here.close()
    return found


def _between(
    first: Session, here: Syncing, second: Session, sizes: tuple[int, int, int], found: dict[str, float]
) -> None:
    """What goes between two laptops."""
    count, changes, pulled = sizes
    there = Syncing(second)
    try:
        before = _bytes()
        found["first"], found["initial"], found["initial_cpu"] = _first_download(second, there, count)
        found["initial_mb"] = (_bytes() - before) / 1e6
        ids = first.call(_ids)
        first.call(_change, ids[:changes], "one")
        found["upload"], upload = _weighed(here.round)
        found["upload_mb"] = upload / 1e6
        found["echo_kb"] = _weighed(here.round)[1] / 1e3
        there.round()
        first.call(_change, ids[:pulled], "two")
        here.round()
        found["pull"], pull = _weighed(there.round)
        found["pull_mb"] = pull / 1e6
        before = _bytes()
        found["poll"] = at([_timed(there.round) * 1000 for _each in range(POLLS)], 0.5)
        found["poll_kb"] = (_bytes() - before) / POLLS / 1e3
        same = second.call(records.get, ids[0]).values["industry"]
        assert same == "Trade two", same
    finally:
        there.close()
    known = _known(first, second, ids[:EDITS])
    found["known_p50"], found["known_p99"] = at(known, 0.5), at(known, 0.99)


def _part_made(org: Organisation, count: int) -> None:
    """Wait until the server has made a ready part, which it does for whoever gets a code."""
    until = time.monotonic() + 60 + count / 200
    log = org.folder / "server.log"
    while count >= ready_road.LEAST and " ready made=1 " not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < until, "no part was made"
        select.select([], [], [], 0.1)


def _most_held(profile: Profile) -> float:
    """Megabytes that a process holds at most which syncs a laptop for the first time and ends."""
    command = [sys.executable, "-m", "app", "--profile", str(profile.folder), "sync"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _pid, state, used = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(state) == 0, "it did not sync"
    return used.ru_maxrss / 1024


def _known(first: Session, second: Session, ids: list[bytes]) -> list[float]:
    """Milliseconds from an edit on one laptop until another one has read the row anew, beyond the time of settling."""
    heard: queue.SimpleQueue[float] = queue.SimpleQueue()
    wanted: list[tuple[bytes, str]] = []

    def hear(changes: Changes) -> None:
        if changes.origin != SYNC or not wanted:
            return
        id_, word = wanted[0]
        there = ("customer", id_) in changes.records
        if there and second.read(records.get, id_).values["industry"] == word:  # it may be news of before
            heard.put(time.perf_counter())

    leave = second.bus.subscribe(hear)
    keepings = [Keeping(each, lambda status: None) for each in (first, second)]
    took = []
    try:
        for each in keepings:
            each.start()
        select.select([], [], [], 5)  # both have exchanged, and hold their lines
        for number, id_ in enumerate(ids):
            select.select(
                [], [], [], 0.5
            )  # else the exchange of the edit before, still under way, takes it along
            wanted[:] = [(id_, f"Trade known {number}")]
            began = time.perf_counter()
            first.call(_change, [id_], f"known {number}")
            first.tell(Changes((("customer", id_),)))
            took.append((heard.get(timeout=60) - began - SETTLE_S) * 1000)
    finally:
        leave()
        for each in keepings:
            each.stop()
    return took


def _first_download(session: Session, syncing: Syncing, count: int) -> tuple[float, float, float]:
    """Seconds until there are rows, and until all are there and are found, and processor time until then."""
    began, spent = time.perf_counter(), time.process_time()
    first: list[float] = []

    def heard(changes: Changes) -> None:
        if changes.records:
            first.append(time.perf_counter() - began)

    leave = session.bus.subscribe(heard)
    took = _timed(syncing.round)
    leave()
    kept = session.call(lambda store: store.counts()["customer"])
    assert kept == count, f"{kept} of {count} came"
    return (first or [took])[0], took, time.process_time() - spent


def _add(store: Store, count: int) -> None:
    draw = random.Random(7)
    with records.batch(store) as batch:
        for _each in range(count):
            cells = customer(draw)
            values = {
                name: cells[name]
                for name in ("name", "industry", "address", "employees", "revenue", "number", "notes")
            }
            batch.add(
                CUSTOMER, {**values, "phones": [f"+86 138 {draw.randrange(10**8):08d}"], "tags": ["key"]}
            )


def _ids(store: Store) -> list[bytes]:
    return [each.id for each in lists.by_rowids(store, CUSTOMER, lists.ids(store, CUSTOMER)[:20_000])]


def _change(store: Store, ids: list[bytes], word: str) -> None:
    with records.batch(store) as batch:
        for id_ in ids:
            batch.edit(id_, {"industry": f"Trade {word}"})


def _limit(count: int) -> float:
    """What such a download writes, statement by statement, into another encrypted store, in one transaction."""
    draw = random.Random(7)
    with tempfile.TemporaryDirectory() as name:
        stores = [_empty(Path(name) / each) for each in ("one", "other")]
        recorder = Recorder(stores[0].db)
        replica, seq = StoreReplica(stores[0]), 0
        while seq < count:
            some = min(PAGE_ROWS, count - seq)
            page = []
            for _each in range(some):
                seq += 1
                cells = {cell: Raw(pack(value)) for cell, value in customer(draw).items()}
                page.append(
                    Change(kind="customer", id=bytes(new_record_id()), ver=seq, cells=cells, hlc=seq << 16)
                )
            replica.apply(Answer(Cursor(epoch=b"bench", seq=seq), 0, 0, more=seq < count, changes=page))
        recorder.let_go()
        written = [each for each in recorder.statements if not each[1].startswith(("BEGIN", "COMMIT"))]
        other = stores[1].db

        def again() -> None:
            with other.write():
                replay(other, written)

        took = _timed(again)
        for store in stores:
            store.close()
    return took


def _empty(folder: Path) -> Store:
    folder.mkdir()
    return Store.create(
        Profile(folder), SecretBytes.random(32), device=new_device_id(), incarnation=new_incarnation(),
        recovery=sealing.public_bytes(X25519PrivateKey.generate()), person=PERSON,
    )  # fmt: skip


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _weighed(work: Callable[[], Any]) -> tuple[float, float]:
    """Seconds, and bytes over loopback meanwhile."""
    before = _bytes()
    took = _timed(work)
    return took, _bytes() - before


def _bytes() -> float:
    return float(_LOOPBACK.read_text())


if __name__ == "__main__":
    sys.exit(main())
