"""A file that does not hold is told as damage, never taken for an empty store; no statement lets data out."""

from __future__ import annotations

import contextlib
import os
import random
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import AppError, Busy, NewerStore, StoreDamaged
from app.store import examination, records
from app.store.store import Store
from tests.store.device import CUSTOMER, Device


@pytest.fixture
def kept(device: Device) -> dict[str, bytes]:
    """A closed store with 200 customers, its unsent work sealed; every file's bytes."""
    store = device.create()
    with records.batch(store) as batch:
        for n in range(200):
            batch.add(CUSTOMER, {"name": f"Customer {n}", "notes": "words " * 50})
    store.db.checkpoint()
    device.close()
    return _files(device)


def _files(device: Device) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(device.profile.folder.iterdir())}


def _opens(device: Device) -> list[str]:
    """What a thorough look finds."""
    store = device.open()
    try:
        found = examination.examine(store)
        for shape in store.shapes.values():
            store.db.all(shape.select)
    finally:
        device.close()
    return found


def test_a_store_is_for_its_person_alone(device: Device, kept: dict[str, bytes]) -> None:
    store = device.open()
    records.add(store, CUSTOMER, {"name": "One more"})
    names = {path.name: stat.S_IMODE(path.stat().st_mode) for path in device.profile.folder.iterdir()}
    assert set(names) == {"store.db", "store.db-wal", "store.db-shm", "outbox.seal"}
    assert set(names.values()) == {0o600}


def test_an_empty_file_is_damage_and_stays_as_it_is(device: Device, kept: dict[str, bytes]) -> None:
    device.profile.store.write_bytes(b"")
    with pytest.raises(StoreDamaged):
        device.open()
    assert _files(device) == {**kept, "store.db": b""}


def test_a_missing_file_is_damage_and_is_not_made_anew(device: Device, kept: dict[str, bytes]) -> None:
    device.profile.store.unlink()
    with pytest.raises(StoreDamaged):
        device.open()
    assert not device.profile.store.exists()
    assert device.profile.sealed_outbox.read_bytes() == kept["outbox.seal"]


def test_another_key_opens_nothing_and_changes_nothing(
    device: Device, kept: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreDamaged):
        device.open(key=bytes(32))
    assert _files(device) == kept
    said = capfd.readouterr()
    assert said.out + said.err == ""
    assert _opens(device) == []


def test_a_key_of_another_length_is_no_key(device: Device, kept: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        device.open(key=b"short")


def test_a_bit_anywhere_in_the_file_is_noticed(device: Device, kept: dict[str, bytes]) -> None:
    draw = random.Random(3)
    whole = kept["store.db"]
    for at in [0, 15, 16, 100, 4095, 4096, len(whole) - 1, *draw.sample(range(len(whole)), 40)]:
        damaged = bytearray(whole)
        damaged[at] ^= 1 << draw.randrange(8)
        device.profile.store.write_bytes(damaged)
        with contextlib.suppress(StoreDamaged):
            assert _opens(device), f"a bit at {at} went unnoticed"
        device.close()


@pytest.mark.parametrize("length", [1, 100, 4096, 5000, 40_960])
def test_a_cut_file_is_noticed(device: Device, kept: dict[str, bytes], length: int) -> None:
    device.profile.store.write_bytes(kept["store.db"][:length])
    with contextlib.suppress(StoreDamaged):
        assert _opens(device)


def test_a_file_that_is_no_store_is_damage(device: Device, kept: dict[str, bytes]) -> None:
    for content in (b"SQLite format 3\0" + bytes(4080), os.urandom(8192), b"hello"):
        device.profile.store.write_bytes(content)
        with pytest.raises(StoreDamaged):
            device.open()
        assert device.profile.store.read_bytes() == content


def test_unsent_work_outlives_the_store(device: Device, kept: dict[str, bytes]) -> None:
    device.profile.store.write_bytes(os.urandom(len(kept["store.db"])))
    with pytest.raises(StoreDamaged):
        device.open()
    (ops,) = device.sealed().values()
    assert [op.set["name"] for op in ops] == [f"Customer {n}" for n in range(200)]


def test_a_store_is_not_made_over_another(device: Device, kept: dict[str, bytes]) -> None:
    with pytest.raises(StoreDamaged):
        device.create()
    assert _files(device) == kept


def test_a_store_of_a_newer_version_is_told(device: Device, kept: dict[str, bytes]) -> None:
    store = device.open()
    with store.db.building():
        store.db.execute("PRAGMA user_version = 99")
    device.close()
    with pytest.raises(NewerStore):
        device.open()


def test_a_store_whose_making_was_cut_short_is_told(device: Device) -> None:
    store = device.create()
    store.db.execute("DELETE FROM here")
    device.close()
    with pytest.raises(StoreDamaged):
        device.open()


ESCAPES = [
    "ATTACH DATABASE '{out}' AS other KEY ''",
    "ATTACH DATABASE '{out}' AS other",
    "VACUUM INTO '{out}'",
    "VACUUM",
    "PRAGMA rekey = 'x'",
    "PRAGMA hexrekey = '00'",
    "PRAGMA key = 'x'",
    "PRAGMA hexkey = '00'",
    "PRAGMA cipher_plaintext_header_size = 32",
    "PRAGMA cipher_salt",
    "PRAGMA temp_store = 1",
    "PRAGMA temp_store_directory = '/tmp'",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA synchronous = OFF",
    "PRAGMA trusted_schema = ON",
    "PRAGMA writable_schema = ON",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA user_version = 7",
    "SELECT load_extension('x')",
    "SELECT sqlcipher_export('main')",
    "SELECT fts3_tokenizer('x')",
    "SELECT randomblob(10)",
    "CREATE TABLE copy AS SELECT * FROM outbox",
    "CREATE TEMP TABLE copy AS SELECT * FROM outbox",
    "CREATE TRIGGER t AFTER INSERT ON outbox BEGIN DELETE FROM sealed; END",
    "CREATE VIEW v AS SELECT * FROM outbox",
    "DROP TABLE outbox",
    "ALTER TABLE outbox RENAME TO inbox",
    "DETACH DATABASE main",
    "UPDATE sqlite_master SET sql = ''",
]


@pytest.mark.parametrize("statement", ESCAPES)
def test_no_statement_lets_data_out_or_takes_guards_away(
    device: Device, store: Store, tmp_path: Path, statement: str
) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    out = tmp_path / "out.db"
    with pytest.raises(AppError) as caught:
        store.db.all(statement.format(out=out))
    assert not out.exists()
    assert "Anna" not in str(caught.value)
    assert store.db.one("SELECT count(*) FROM outbox") == (1,)
    again = device.reopen()
    assert again.counts()["customer"] == 1


def test_what_the_store_complains_of_names_no_value(store: Store) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"}, id=b"i" * 16)
    shape, stored = records.find_row(store, b"i" * 16)
    with pytest.raises(AppError) as caught:
        store.db.execute(shape.insert, [None, *shape.row(stored)])
    assert "Anna" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_second_writer_is_told(device: Device, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.store.db.BUSY_MS", 50)
    second = device.open()
    with store.db.write(), pytest.raises(Busy):
        records.add(second, CUSTOMER, {"name": "Anna"})
    records.add(second, CUSTOMER, {"name": "Anna"})


FULL_DISK = """
import resource, sys
from pathlib import Path
from app.errors import NoSpace, AppError
from app.store import records
from tests.store.device import CUSTOMER, Device
device = Device(Path(sys.argv[1])); device.id = b"d" * 16
import signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = device.create()
kept = records.add(store, CUSTOMER, {"name": "Kept"})
size = max(p.stat().st_size for p in device.profile.folder.iterdir())
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20_000, resource.RLIM_INFINITY))
refused = 0
for n in range(50):
    try:
        records.add(store, CUSTOMER, {"name": f"More {n}", "notes": "n" * 3_000})
    except AppError:
        refused += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
assert refused > 10, refused
assert store.counts()["customer"] == 51 - refused == store.unsent()
device.assert_sealed(store)
records.add(store, CUSTOMER, {"name": "Space again"})
store = device.reopen()
assert store.counts()["customer"] == 52 - refused == store.unsent()
device.assert_sealed(store)
"""


def test_a_full_disk_refuses_the_act_whole_and_goes_on_after(tmp_path: Path) -> None:
    """A file size limit stands in for the disk: the system calls fail in the same place."""
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
