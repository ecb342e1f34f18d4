"""Who reads goes beside who writes: never waiting, at one moment of the store, unable to write, broken off at once."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import AppError, Stopped
from app.keys.secret import SecretBytes
from app.store import allowed, lists, records, schema, search
from app.store.db import Database
from app.store.reader import Reader
from app.store.store import Store
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import page, row
from tests.store.test_damage import ESCAPES


@pytest.fixture
def reader(device: Device, store: Store) -> Iterator[Reader]:
    """A reader beside the open store, in the same thread for the tests' sake."""
    opened = Reader.open_beside(device.profile, SecretBytes(device.key))
    yield opened
    opened.close()


def _names(reader: Reader) -> list[object]:
    return [each.values["name"] for each in lists.page(reader, CUSTOMER).records]


def test_a_read_comes_back_while_a_write_is_open_and_sees_what_was_saved(
    store: Store, reader: Reader
) -> None:
    first = records.add(store, CUSTOMER, {"name": "Anna"})
    with store.writing() as writing:
        batch = records.Batch(writing)
        for n in range(500):
            batch.add(CUSTOMER, {"name": f"Coming {n}"})
        began = time.perf_counter()
        for _read in range(50):
            assert _names(reader) == ["Anna"]
            assert [hit.record.id for hit in search.find(reader, "anna")] == [first.id]
            assert records.get(reader, first.id).values["name"] == "Anna"
        took_ms = (time.perf_counter() - began) / 150 * 1000
        sys.stdout.write(f"a look beside an open write: {took_ms:.2f} ms\n")
    assert reader.counts()["customer"] == 501
    assert len(search.find(reader, "coming", limit=900)) == 500


def test_all_that_one_look_reads_is_of_one_moment(store: Store, reader: Reader) -> None:
    made = records.add(store, CUSTOMER, {"name": "Anna"})
    with reader.snapshot():
        assert reader.counts()["customer"] == 1
        records.delete(store, made.id)
        records.add(store, CUSTOMER, {"name": "Ben"})
        assert _names(reader) == ["Anna"]
        assert reader.unsent() == 1
    assert _names(reader) == ["Ben"]


def test_a_look_that_fails_leaves_no_moment_open(store: Store, reader: Reader) -> None:
    with contextlib.suppress(ZeroDivisionError), reader.snapshot():
        reader.counts()
        raise ZeroDivisionError
    records.add(store, CUSTOMER, {"name": "Anna"})
    assert _names(reader) == ["Anna"]


WRITES = [
    "INSERT INTO counts (kind, kept) VALUES ('x', 1)",
    "UPDATE here SET next_n = 1",
    "DELETE FROM outbox",
    "INSERT INTO words_customer (words_customer) VALUES ('optimize')",
    "PRAGMA query_only = OFF",
    "CREATE TABLE t (a)",
]


@pytest.mark.parametrize("statement", [*WRITES, *ESCAPES])
def test_nothing_can_be_written_through_a_reader(
    store: Store, reader: Reader, tmp_path: Path, statement: str
) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    out = tmp_path / "out.db"
    with pytest.raises(AppError):
        reader.db.all(statement.format(out=out))
    assert not out.exists()
    assert (store.unsent(), _names(reader)) == (1, ["Anna"])


LONG = (
    "SELECT count(*) FROM outbox a, outbox b, outbox c, outbox d, outbox e, outbox f"
    " WHERE a.n + b.n + c.n + d.n + e.n + f.n < 0"
)


def test_a_long_read_is_broken_off_from_another_thread_and_nothing_is_read_after_it(
    device: Device, store: Store
) -> None:
    with records.batch(store) as batch:
        for n in range(200):
            batch.add(CUSTOMER, {"name": f"Customer {n}"})
    opened, said = list[Reader](), list[object]()
    asking = threading.Event()

    def read() -> None:
        reader = Reader.open_beside(device.profile, SecretBytes(device.key))
        opened.append(reader)
        asking.set()
        for question in (LONG, "SELECT 1"):
            try:
                with reader.snapshot():
                    said.append(reader.db.all(question))
            except Stopped as stopped:
                said.append(stopped)
        reader.close()

    thread = threading.Thread(target=read)
    thread.start()
    assert asking.wait(10)
    until = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < until:
        opened[0].db.stop()
        thread.join(0.02)
    assert not thread.is_alive()
    assert [type(each) for each in said] == [Stopped, Stopped]
    opened[0].db.stop()  # of a closed file: nothing


def test_the_log_is_brought_into_the_file_beside_a_reader_and_used_again(
    device: Device, store: Store, reader: Reader
) -> None:
    """A log that nobody brings in grows with each save; one that is brought in begins anew, readers or not."""
    log = device.profile.store.with_name("store.db-wal")
    beside = Database(device.profile.store, SecretBytes(device.key), version=schema.VERSION, reading=True)
    try:
        sizes = []
        for turn in range(12):
            with records.batch(store) as batch:
                for n in range(60):
                    batch.add(CUSTOMER, {"name": f"Turn {turn} {n}", "notes": "n" * 2_000})
            with reader.snapshot():
                assert reader.counts()["customer"] == (turn + 1) * 60
                beside.bring_in()
                assert beside.logged() == 0
            sizes.append(log.stat().st_size)
    finally:
        beside.close()
    assert max(sizes[2:]) < 3 * sizes[0]


def test_a_log_that_a_reader_holds_waits_for_it_and_no_longer(
    device: Device, store: Store, reader: Reader
) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    store.db.bring_in()
    with reader.snapshot():
        assert _names(reader) == ["Anna"]
        records.add(store, CUSTOMER, {"name": "Ben"})
        store.db.bring_in()
        records.add(store, CUSTOMER, {"name": "Cem"})
        store.db.bring_in()
        assert _names(reader) == ["Anna"]
    store.db.bring_in()
    assert store.db.logged() == 0
    assert _names(reader) == ["Anna", "Ben", "Cem"]


def test_no_commit_brings_the_log_in_before_it_is_long(store: Store) -> None:
    """Upkeep does; whoever saves must not pay for it."""
    with records.batch(store) as batch:
        for n in range(2_000):
            batch.add(CUSTOMER, {"name": f"Customer {n}", "notes": "n" * 1_000})
    logged = store.db.logged()
    records.add(store, CUSTOMER, {"name": "One more"})
    assert store.db.logged() > logged > 1_000


def test_pages_of_a_server_commit_lightly_and_all_else_is_on_the_disk(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How sure each commit was, by what SQLite was told just before it."""
    commits = list[tuple[str, int]]()
    execute, doing = Database.execute, [""]

    def noting(self: Database, sql: str, values: object = ()) -> int:
        if sql == "COMMIT":
            commits.append((doing[0], self._conn.execute("PRAGMA main.synchronous").fetchone()[0]))
        return execute(self, sql, values)  # type: ignore[arg-type]

    monkeypatch.setattr(allowed, "_PRAGMAS", allowed._PRAGMAS | {"synchronous"})
    monkeypatch.setattr(Database, "execute", noting)
    doing[0] = "save"
    made = records.add(store, CUSTOMER, {"name": "Anna"})
    doing[0] = "page of rows"
    page(store, row(b"r" * 16, 5, name="Theirs"))
    doing[0] = "page that takes work"
    page(store, row(made.id, 6, name="Anna"), acked_n=1)
    doing[0] = "page that ends records"
    page(store, row(b"r" * 16, 7, gone="left"), acked_n=1)
    doing[0] = "page of rows again"
    page(store, row(b"s" * 16, 8, name="Theirs"), acked_n=1)
    doing[0] = "save again"
    records.add(store, CUSTOMER, {"name": "Ben"})
    full, normal = 2, 1
    assert {what for what, sure in commits if sure == normal} == {"page of rows", "page of rows again"}
    assert {what for what, sure in commits if sure == full} == {
        "save", "page that takes work", "page that ends records", "save again",
    }  # fmt: skip
