"""The SQLCipher store: the contract, and what only a file can suffer."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from sqlcipher3 import dbapi2 as sqlite

from sync.server.db import sqlite as room
from sync.server.db.base import Store
from sync.server.db.kept import Sealed
from sync.server.db.schema import STEPS, VERSION
from sync.server.db.sqlite import SqliteStore
from sync.server.errors import StoreBusy, StoreError
from sync.server.placing import place_all
from tests.server.store_contract import OPEN, StoreContract, held

KEY = bytes(range(32))


class TestSqlite(StoreContract):
    """The contract, on a file."""

    @pytest.fixture
    def again(self, tmp_path: Path) -> Iterator[OPEN]:
        """Close the store and open it."""
        path = tmp_path / "store.db"
        opened: list[SqliteStore] = []

        def reopen() -> Store:
            if opened:
                opened[-1].close()
                opened.append(SqliteStore.open(path, bytearray(KEY)))
            else:
                opened.append(SqliteStore.create(path, bytearray(KEY)))
            return opened[-1]

        yield reopen
        for each in opened:
            each.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store with one record in it."""
    store = SqliteStore.create(tmp_path / "store.db", bytearray(KEY))
    with store.write() as tx:
        tx.records.put(held(b"1" * 16, tx.records.next_seq()), None, 1)
    store.close()
    return tmp_path / "store.db"


def test_the_file_is_private_and_tells_nothing(path: Path) -> None:
    store = SqliteStore.open(path, bytearray(KEY))
    with store.write() as tx:
        tx.records.put(held(b"2" * 16, tx.records.next_seq()), None, 1)
    files = list(path.parent.iterdir())
    assert {file.name for file in files} == {"store.db", "store.db-wal", "store.db-shm"}
    for file in files:
        assert file.stat().st_mode & 0o077 == 0
        data = file.read_bytes()
        assert not any(
            each in data for each in (b"ana@example.com", "王芳".encode(), b"customer", KEY, b"SQLite")
        )
    store.close()
    assert [file.name for file in path.parent.iterdir()] == ["store.db"]


def test_the_key_is_wiped_once_the_store_is_open(path: Path) -> None:
    key = bytearray(KEY)
    SqliteStore.open(path, key).close()
    assert key == bytes(32)


@pytest.mark.parametrize("data", [None, b""], ids=["absent", "empty"])
def test_a_store_that_is_not_there_is_never_made_anew(path: Path, data: bytes | None) -> None:
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(StoreError):
        SqliteStore.open(path, bytearray(KEY))
    assert (path.read_bytes() if data is not None else None) == data


def test_a_store_is_not_made_over_another(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(StoreError):
        SqliteStore.create(path, bytearray(KEY))
    assert path.read_bytes() == before


def test_a_wrong_key_a_cut_and_a_flipped_bit_are_damage(path: Path) -> None:
    whole = path.read_bytes()
    with pytest.raises(StoreError):
        SqliteStore.open(path, bytearray(32))
    for broken in (whole[:1000], bytes([*whole[:100], whole[100] ^ 1, *whole[101:]]), os.urandom(8192)):
        path.write_bytes(broken)
        with pytest.raises(StoreError):
            SqliteStore.open(path, bytearray(KEY))
        assert path.read_bytes() == broken


def test_a_newer_store_is_refused(path: Path) -> None:
    connection = sqlite.connect(str(path))
    connection.set_key(bytearray(b"x'" + KEY.hex().encode() + b"'"))
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.commit()
    connection.close()
    with pytest.raises(StoreError, match="newer"):
        SqliteStore.open(path, bytearray(KEY))


def test_records_of_yesterday_lie_where_their_customers_do(path: Path) -> None:
    """Until step 7 a territory had no effect: whoever has one then goes through everything anew."""
    path.unlink()
    connection = sqlite.connect(str(path), isolation_level=None)
    connection.set_key(bytearray(b"x'" + KEY.hex().encode() + b"'"))
    connection.create_function("sha256_hex", 1, lambda data: hashlib.sha256(data).hexdigest())
    for step in STEPS[:6]:
        connection.executescript(step)
    connection.execute("INSERT INTO meta VALUES (1, x'00', 4, 0)")
    for id_, email, role in ((b"r", "r@example.com", "rep"), (b"m", "m@example.com", "manager")):
        connection.execute(
            "INSERT INTO person (id, email, folded, role, team, territory, scopes) "
            "VALUES (?, ?, ?, ?, 'S', 'North', 1)",
            (id_, email, email, role),
        )
    rows: tuple[tuple[bytes, str, dict[str, object]], ...] = (
        (b"t" * 16, "task", {"deal": b"d" * 16}), (b"d" * 16, "deal", {"customer": b"c" * 16}),
        (b"c" * 16, "customer", {"territory": " NORTH"}), (b"x" * 16, "task", {"contact": b"y" * 16}),
    )  # fmt: skip
    for ver, (id_, kind, cells) in enumerate(rows, 1):
        connection.execute(
            "INSERT INTO record (id, kind, ver, deleted, scope_person, scope_team, owner, creator, device, incarnation,"
            " person, hlc, cells, marks) VALUES (?, ?, ?, 0, x'72', 'S', '', x'72', x'', x'', '', 0, ?, ?)",
            (id_, kind, ver, msgspec.msgpack.encode(cells), msgspec.msgpack.encode([])),
        )
        connection.execute("INSERT INTO change VALUES (?, ?, NULL, NULL, x'', 0)", (ver, id_))
    connection.execute("PRAGMA user_version = 6")
    connection.close()
    store = SqliteStore.open(path, bytearray(KEY))
    assert (place_all(store), place_all(store)) == (4, 0)
    with store.read() as tx:
        assert [entry.scope.territory for entry in tx.records.after(0)] == ["north", "north", "north", ""]
        assert tx.records.about(b"d" * 16) == [(b"t" * 16, "task")]
        rep, manager = tx.people.by_email("r@example.com"), tx.people.by_email("m@example.com")
        assert rep is not None and manager is not None
        assert (rep.scopes, manager.scopes) == (2, 1)
        assert [each.territories for each in tx.people.former_rights(rep.id)] == [None]
        assert rep.rights.territories == frozenset({"north"})
    store.close()


def test_files_of_yesterday_go_on_where_they_were(path: Path) -> None:
    """Until step 8 all devices brought one blob into one place."""
    path.unlink()
    connection = sqlite.connect(str(path), isolation_level=None)
    connection.set_key(bytearray(b"x'" + KEY.hex().encode() + b"'"))
    connection.create_function("sha256_hex", 1, lambda data: hashlib.sha256(data).hexdigest())
    for step in STEPS[:8]:
        connection.executescript(step)
    connection.execute("INSERT INTO meta VALUES (1, x'00', 4, 0)")
    connection.execute("PRAGMA user_version = 8")
    for sha256, there, whole, gone in ((b"w" * 32, 8, 1, 0), (b"p" * 32, 4, 0, 0), (b"g" * 32, 0, 0, 1)):
        connection.execute("INSERT INTO blob VALUES (?, 8, ?, ?, ?, 'e1', 5)", (sha256, there, whole, gone))
        for begins in range(0, there, 4):
            connection.execute("INSERT INTO blob_piece VALUES (?, ?, x'01020304')", (sha256, begins))
    connection.close()
    store = SqliteStore.open(path, bytearray(KEY))
    with store.read() as tx:
        for letter, there in ((b"w", 8), (b"p", 4), (b"g", 0)):
            (found,) = tx.blobs.blobs(letter * 32)
            assert (found.enrolment, found.length, found.begun, found.held) == ("e1", 8, 5, there)
            assert (found.whole, found.gone) == (letter == b"w", letter == b"g")
            assert tx.blobs.bytes_of(found.place, 4, 9) == (b"\1\2\3\4" if there == 8 else b"")
        assert [each.sha256 for each in tx.blobs.uncounted("e1")] == [b"p" * 32, b"w" * 32]
    store.close()


def test_a_store_of_yesterday_is_brought_on_with_the_work_it_holds(tmp_path: Path) -> None:
    """Until step 3 a sealed outbox lay in the receipt's own row, in one piece."""
    large = os.urandom(3 * 2**20)
    connection = sqlite.connect(str(tmp_path / "store.db"), isolation_level=None)
    connection.set_key(bytearray(b"x'" + KEY.hex().encode() + b"'"))
    for step in STEPS[:2]:
        connection.executescript(step)
    connection.execute("INSERT INTO meta VALUES (1, x'00', 0, 0)")
    for enrolment, outbox in (("e1", large), ("e2", b"")):
        row = (enrolment, f"r{enrolment}", b"signed", 7, len(outbox), 5, outbox)
        connection.execute("INSERT INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    connection.execute("PRAGMA user_version = 2")
    connection.close()
    store = SqliteStore.open(tmp_path / "store.db", bytearray(KEY))
    with store.read() as tx:
        name = hashlib.sha256(large).hexdigest()
        (kept,) = tx.post.sealed("e1")
        assert kept == Sealed(
            enrolment="e1", sha256=name, length=len(large), records=5, begun=7, held=len(large), whole=True
        )
        found = b""
        while piece := tx.post.sealed_bytes("e1", name, len(found)):
            found += piece
        assert found == large
        assert tx.post.sealed("e2") == []
        receipts = [tx.post.receipt(enrolment) for enrolment in ("e1", "e2")]
        assert [(each.receipt_id, each.outbox_bytes) for each in receipts if each] == [
            ("re1", len(large)), ("re2", 0)
        ]  # fmt: skip
    store.close()


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE ':memory:' AS plain KEY ''",
        "VACUUM INTO 'copy.db'",
        "PRAGMA temp_store = 1",
        "PRAGMA journal_mode = OFF",
        "DROP TABLE record",
        "CREATE TABLE t (x)",
    ],
)
def test_the_open_store_does_only_what_it_must(path: Path, statement: str) -> None:
    store = SqliteStore.open(path, bytearray(KEY))
    with pytest.raises(StoreError), store.write():
        store._writer.execute(statement)
    with store.read() as tx:
        assert tx.records.head() == 1
    store.close()


def test_foreign_errors_do_not_come_out_with_their_text(path: Path) -> None:
    store = SqliteStore.open(path, bytearray(KEY))
    with pytest.raises(StoreError) as error, store.write() as tx:
        tx.records.put(held(b"1" * 16, 1), None, 1)
        tx.records.put(held(b"2" * 16, 1), None, 1)  # one number twice
    assert "record" not in str(error.value)
    store.close()


def test_who_waits_too_long_is_told_so(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_WAIT_S", 0.05)
    store = SqliteStore.open(path, bytearray(KEY))
    with store.write(), pytest.raises(StoreBusy), store.write():
        pytest.fail("two writers")
    hold: list[Callable[[], object]] = []
    with store.read(), store.read(), store.read(), pytest.raises(StoreBusy), store.read():
        hold.append(pytest.fail)
    assert not hold
    with store.read() as tx:
        assert tx.records.head() == 1
    store.close()
