"""kill -9 in the midst of every long write: the store opens sound, doctor finds nothing, and what was saved is there.

Each act is done once to see how many steps it has (statements, syncs, changes of a name); then it is ended at some of
them, or at every one.
"""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from app.errors import StoreDamaged
from app.services import unfinished
from app.store import comparing, examination, outbox, records
from app.store.store import Store
from sync.protocol import digest
from tests import forks
from tests.store.device import CUSTOMER, Device
from tests.store.dying import DEVICE, ROWS, make_anew
from tests.store.exchanges import page, row

KEPT = 40
THEIRS = (b"a" * 16, b"b" * 16, b"c" * 16)
ACTS = ("act on all", "delete all", "import", "export", "rebuild", "lay in", "pages in pieces")
EACH = (*ACTS, pytest.param("anew", marks=pytest.mark.expected_warnings("made anew")))


def _ground(folder: Path, act: str) -> tuple[Device, list[bytes]]:
    """A closed store with rows of the server, unsent work on one of them, and records of its own."""
    folder.mkdir()
    device = Device(folder)
    device.id = DEVICE  # type: ignore[assignment]
    store = device.create()
    page(store, *[row(id_, 10, name="Theirs") for id_ in THEIRS])
    records.edit(store, THEIRS[0], {"industry": "Tea"})
    with records.batch(store) as batch:
        ids = [batch.add(CUSTOMER, {"name": f"Kept {n}", "notes": "words " * 90}).id for n in range(KEPT)]
    if act == "lay in":
        store.db.execute("UPDATE record_customer SET employees = 7, _ver = 99 WHERE _id = ?", (THEIRS[1],))
    if act == "rebuild":
        store.db.execute("INSERT INTO words_customer (words_customer) VALUES ('delete-all')")
    if act == "anew":
        _spoil(device, store)
    (folder / "out.csv").write_text("as it was")
    device.close()
    return device, ids


def _spoil(device: Device, store: Store) -> None:
    """A page of rows does not hold any more."""
    (page_,) = store.db.one("SELECT rootpage FROM sqlite_master WHERE name = 'record_customer'")
    store.db.checkpoint()
    device.close()
    data = bytearray(device.profile.store.read_bytes())
    data[(page_ - 1) * 4096 + 200] ^= 1
    device.profile.store.write_bytes(data)


def _run(device: Device, act: str, step: int) -> forks.Answer:
    words = [str(device.profile.folder), device.recovery.private_bytes_raw().hex(), act, str(step)]
    done = forks.run("tests.store.dying:main", words)
    assert done.code in (0, -signal.SIGKILL), done.err
    return done


def _opened(device: Device, act: str) -> Store:
    """The store once whoever was at it has died; a repair that was cut off is asked for again."""
    if act == "anew":
        try:
            store = device.open()
            store.db.check()
        except StoreDamaged:
            device.close()
            assert make_anew(device).carried
        else:
            return store
    return device.open()


def _sound(device: Device, ids: list[bytes], act: str) -> Store:
    store = _opened(device, act)
    if act == "rebuild":
        examination.repair(store)
    assert examination.examine(store) == []
    device.assert_sealed(store)
    numbers = [op.n for op in outbox.every(store.db)]
    assert numbers == list(range(1, store.here().next_n))
    assert not device.profile.sealed_lost.exists() or act != "anew"
    for n, id_ in enumerate(ids):
        assert records.get(store, id_).values["name"] == f"Kept {n}"
    assert records.get(store, THEIRS[0]).values["industry"] == "Tea"
    return store


def _count(store: Store, where: str) -> int:
    return int(store.db.one(f"SELECT count(*) FROM record_customer WHERE {where}")[0])  # noqa: S608


def _all_or_nothing(device: Device, store: Store, act: str) -> None:
    """What the act may have left, whole pieces of it and nothing else."""
    waiting = len(outbox.every(store.db)) - KEPT - 1
    if act == "act on all":
        assert _count(store, "stage = 'former'") == waiting
    elif act == "delete all":
        deleted = _count(store, "_deleted = 1")
        back = (waiting - deleted) // 2
        assert waiting == deleted + 2 * back
        assert deleted + back <= KEPT + len(THEIRS)
    elif act == "import":
        added = _count(store, "name LIKE 'Imported %'")
        assert (added, waiting) in ((0, 0), (ROWS, ROWS + 1))
    elif act == "lay in":
        new = _count(store, "name LIKE 'New %'")
        mended = _count(store, "name = 'Mended'")
        gone = _count(store, "_id = x'" + THEIRS[2].hex() + "'") == 0
        assert (new, mended, gone) in ((0, 0, False), (ROWS, 2, True))
        assert waiting == 0
        if not new:  # what was cut off is seen and can be done again
            held = comparing.digests(store, frozenset(range(digest.BUCKETS)))
            sound = digest.digest_of(THEIRS[1], 10, {"name": "Mended"})
            assert held[THEIRS[1]] != (10, sound)
    elif act == "pages in pieces":  # as many as the last end says that were read
        here, new = store.here(), _count(store, "name LIKE 'New %'")
        assert (new, waiting) == (here.cursor.seq if here.cursor.epoch == b"e" else 0, 0)
        assert new in (0, ROWS, 2 * ROWS)
    else:
        assert waiting == 0
    written = (device.profile.folder / "out.csv").read_text()
    assert written == "as it was" or (act == "export" and written.count("Kept ") == KEPT)


def _try(tmp_path: Path, act: str, which: Callable[[int], Iterable[int]]) -> None:
    device, ids = _ground(tmp_path / "whole", act)
    steps = int(_run(device, act, 10**9).out)
    _all_or_nothing(device, _sound(device, ids, act), act)
    device.close()
    for step in which(steps):
        device, ids = _ground(tmp_path / str(step), act)
        assert _run(device, act, step).code == -signal.SIGKILL
        store = _sound(device, ids, act)
        _all_or_nothing(device, store, act)
        records.add(store, CUSTOMER, {"name": "After it"})
        device.reopen()

        device.close()
        unfinished.take_away(device.profile)
        # What was sealed and never committed is set aside.
        left = {"store.db", "outbox.seal", "outbox.lost.seal", "rows.csv", "out.csv"}
        assert {path.name for path in device.profile.folder.iterdir()} <= left


@pytest.mark.parametrize("act", EACH)
def test_a_long_write_is_killed_at_some_steps(tmp_path: Path, act: str) -> None:
    _try(tmp_path, act, lambda steps: sorted({1, steps // 3, steps * 2 // 3, steps - 1}))


@pytest.mark.slow
@pytest.mark.parametrize("act", EACH)
def test_a_long_write_is_killed_at_every_step(tmp_path: Path, act: str) -> None:
    """At no more than eighty of them, spread evenly."""
    _try(tmp_path, act, lambda steps: itertools.islice(range(0, steps, max(1, steps // 80)), 90))


def test_a_store_that_holds_is_not_made_anew(device: Device, store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    device.id = store.device  # type: ignore[assignment]
    device.close()
    before = device.profile.store.read_bytes()
    with pytest.raises(StoreDamaged, match="holds"):
        make_anew(device)
    assert device.profile.store.read_bytes() == before
