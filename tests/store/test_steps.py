"""Ended at any step of a long write, a store opens sound: all of the write is there or nothing; no work is lost."""

from __future__ import annotations

import itertools
import signal
from pathlib import Path

import pytest

from app.store import building, examination, merging, outbox, records, schema, search
from app.store.store import Store
from tests import forks
from tests.store.device import CUSTOMER, Device
from tests.store.dying import ROWS
from tests.store.exchanges import page, row

KEPT = 40


def make_older(device: Device) -> None:
    """Make the file one of version 1: it has other search indexes, one index is not there yet, no totals are kept, and
    recovered ops are known by number."""
    make_old(device.open())
    device.close()


def make_old(store: Store) -> None:
    """The same with an open store."""
    make_search_older(store)
    with store.db.building() as db:
        for shape in store.shapes.values():
            for tally in shape.tallies:
                db.execute(f"DROP TABLE {tally.table}")
        db.execute('DROP INDEX "record_customer_by_changed"')
        db.execute("DROP TABLE recovered")
        db.execute("CREATE TABLE recovered (device BLOB, incarnation BLOB, n INTEGER)")
        db.execute("PRAGMA user_version = 1")


def make_search_older(store: Store) -> None:
    """Make the file one of version 5, whose kinds had three search indexes each."""
    with store.db.building() as db:
        for name, shape in store.shapes.items():
            db.execute(f"DROP TABLE {shape.index}")
            for index in (f"find_{name}", f"notes_{name}", f"sounds_{name}"):
                made = (
                    "fts5(t, content='', contentless_delete=1, detail=none, tokenize='ascii', prefix='1 2 3')"
                )
                db.execute(f"CREATE VIRTUAL TABLE {index} USING {made}")
                filled = f"INSERT INTO {index} (rowid, t) SELECT _rowid, 'some words' FROM record_{name}"  # noqa: S608
                db.execute(filled)
        db.execute("DROP TABLE indexing")
        db.execute("PRAGMA user_version = 5")


def _ground(folder: Path) -> tuple[Device, list[bytes]]:
    """A closed store with rows of the server, and unsent work on some of them."""
    folder.mkdir()
    device = Device(folder)
    store = device.create()
    page(store, *[row(letter * 16, 10, name="Theirs") for letter in (b"a", b"b", b"c")])
    page(store, row(b"d" * 16, 10, kind="deal", name="Theirs", stage="won", close_on="2026-11-22"))
    records.edit(store, b"a" * 16, {"industry": "Tea"})
    with records.batch(store) as batch:
        ids = [batch.add(CUSTOMER, {"name": f"Kept {n}", "notes": "words " * 30}).id for n in range(KEPT)]
    device.close()
    return device, ids


def _sound(device: Device, ids: list[bytes]) -> Store:
    store = device.open()
    assert examination.examine(store) == []
    while merging.step(store):
        pass
    assert examination.examine(store) == []
    assert len(search.find(store, "kept", limit=10_000)) >= KEPT
    device.assert_sealed(store)
    for id_ in ids:
        assert records.get(store, id_).values["name"].startswith("Kept")
    return store


def _die(device: Device, act: str, step: int) -> bool:
    """Whether the process died at that step; False when the act has no such step."""
    arguments = [str(device.profile.folder), device.recovery.private_bytes_raw().hex(), act, str(step)]
    done = forks.run("tests.store.dying:main", arguments)
    assert done.code in (0, -signal.SIGKILL), done.err
    return done.code != 0


def _each_step(tmp_path: Path, act: str, stride: int) -> int:
    for turn, step in enumerate(itertools.count(0, stride)):
        device, ids = _ground(tmp_path / str(turn))
        if act in ("open", "index"):
            make_older(device)
        died = _die(device, act, step)
        store = _sound(device, ids)
        waiting = [op.n for op in outbox.every(store.db)]
        assert waiting == list(range(waiting[0], store.here().next_n))
        if act == "apply":
            # KEPT + 1 ops wait, all but the last of them are taken: all of it happened, or nothing.
            applied = store.counts()["customer"] == 2 + KEPT + ROWS
            assert applied or store.counts()["customer"] == 3 + KEPT
            assert len(waiting) == (1 if applied else KEPT + 1)
            assert (store.here().acked_n == KEPT) is applied
        elif act == "checkpoint":
            assert len(waiting) in (KEPT + 1, KEPT + 1 + ROWS)
            assert store.counts()["customer"] == 3 - 1 + len(waiting)
        else:
            assert len(waiting) == KEPT + 1
            assert store.db.version == schema.VERSION
            assert store.db.one("SELECT v FROM words_customer_config WHERE k = 'automerge'") == (0,)
            assert store.db.first("SELECT 1 FROM sqlite_master WHERE name = 'record_customer_by_changed'")
        records.add(store, CUSTOMER, {"name": "After it"})
        device.reopen()
        assert not device.profile.store_before.exists()
        assert not list(device.profile.folder.glob("*.tmp"))
        device.close()
        if not died:
            return turn
    raise AssertionError


@pytest.mark.parametrize(("act", "stride"), [("apply", 11), ("checkpoint", 29), ("open", 37), ("index", 53)])
def test_a_long_write_ended_at_some_steps(tmp_path: Path, act: str, stride: int) -> None:
    assert _each_step(tmp_path, act, stride) > 2


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("act", ["apply", "checkpoint", "open", "index"])
def test_a_long_write_ended_at_every_step(tmp_path: Path, act: str) -> None:
    assert _each_step(tmp_path, act, 1) > 10


def test_what_a_power_cut_takes_is_never_a_save(tmp_path: Path) -> None:
    """The log is cut anywhere behind the last save: pages of rows may go, all that was said to be saved stays."""
    device, ids = _ground(tmp_path / "cut")
    store = device.open()
    log = device.profile.store.with_name("store.db-wal")
    page(store, *[row(b"one %12d" % n, 100 + n, name=f"One {n}") for n in range(50)])
    ids.append(records.add(store, CUSTOMER, {"name": "Kept to the last"}).id)
    safe = log.stat().st_size
    for turn in range(3):
        page(store, *[row(b"two %12d" % (turn * 50 + n), 200 + turn, name="Two") for n in range(50)])
    whole, base = log.read_bytes(), device.profile.store.read_bytes()
    sealed = device.profile.sealed_outbox.read_bytes()
    expected = store.unsent()
    device.close()
    assert len(whole) > safe + 20_000
    seen = set()
    for at in range(safe, len(whole), (len(whole) - safe) // 25):
        device.profile.store.write_bytes(base)
        log.write_bytes(whole[:at])
        device.profile.sealed_outbox.write_bytes(sealed)
        cut = _sound(device, ids)
        assert cut.unsent() == expected
        assert (
            cut.db.one("SELECT count(*) FROM record_customer WHERE _id >= ? AND _id < ?", (b"one ", b"onf"))[
                0
            ]
            == 50
        )
        seen.add(cut.here().cursor.seq)
        device.close()
    assert {149, 200, 201} <= seen  # whole pages went, one after the other


def test_a_step_of_version_is_there_for_each_older_version() -> None:
    assert set(building.STEPS) == set(range(1, schema.VERSION))
