"""Examination finds what does not agree with the rows, and repair makes it anew; unsent work is never touched."""

from __future__ import annotations

import contextlib

import pytest

from app.errors import StoreDamaged
from app.store import examination, outbox, records, search
from app.store.store import Store
from tests.store.device import CONTACT, CUSTOMER, Device
from tests.store.exchanges import page, row


@pytest.fixture
def full(store: Store) -> Store:
    """Some of everything: rows of the server, unsent work, deleted records, notes."""
    page(store, *[row(b"a%15d" % n, 10, name=f"Theirs {n}", notes="met at the fair") for n in range(50)])
    with records.batch(store) as batch:
        made = [batch.add(CUSTOMER, {"name": f"Ours {n}", "phones": ["+49 30 1234"]}).id for n in range(30)]
        batch.add(CONTACT, {"name": "Anna"})
    records.delete(store, made[0])
    records.edit(store, b"a%15d" % 3, {"industry": "Tea"})
    assert examination.examine(store) == []
    return store


HARM = [
    ("Search", "DELETE FROM words_customer WHERE rowid = 7"),
    ("Search", "INSERT OR REPLACE INTO words_customer (rowid, t) VALUES (8, 'other words')"),
    ("Search", "INSERT INTO words_customer (rowid, t) VALUES (900, 'nobody')"),
    ("Search", "INSERT INTO words_customer (words_customer) VALUES ('delete-all')"),
    ("Counts and titles", "UPDATE counts SET kept = kept + 1 WHERE kind = 'customer'"),
    ("Counts and titles", "UPDATE record_customer SET _key = 'zzz' WHERE _rowid = 4"),
    ("Copy of unsent work", "DELETE FROM sealed"),
]


@pytest.mark.parametrize(("name", "statement"), HARM)
def test_what_does_not_agree_is_found_and_made_anew(
    device: Device, full: Store, name: str, statement: str
) -> None:
    waiting, rows = outbox.every(full.db), full.db.all("SELECT _id, name, industry FROM record_customer")
    full.db.execute(statement)
    assert [check.name for check in examination.checks(full) if check.problems] == [name]
    examination.repair(full)
    assert examination.examine(full) == []
    assert outbox.every(full.db) == waiting
    assert full.db.all("SELECT _id, name, industry FROM record_customer") == rows
    device.assert_sealed(full)
    assert len(search.find(full, "theirs")) == 50
    assert len(search.find(full, "fair")) == 50
    assert len(search.find(full, "ours")) == 29
    again = device.reopen()
    assert examination.examine(again) == []
    assert outbox.every(again.db) == waiting


def test_an_index_that_lost_a_row_is_found_and_made_anew(full: Store) -> None:
    """As a power cut on a disk that lies may leave it: the page of the index holds, and says something else."""
    with full.db.building() as db:
        ((sql,),) = db.all("SELECT sql FROM sqlite_master WHERE name = 'record_customer_key'")
        db.execute("DROP INDEX record_customer_key")
        db.execute(sql.replace("_deleted = 0", "_deleted = 0 AND _rowid <> 9"))
    conn = full.db._conn
    conn.set_authorizer(None)
    conn.execute("PRAGMA writable_schema = ON")
    conn.execute("UPDATE sqlite_master SET sql = ? WHERE name = 'record_customer_key'", (sql,))
    conn.execute("PRAGMA writable_schema = RESET")
    conn.set_authorizer(full.db._allows)
    assert [check.name for check in examination.checks(full) if check.problems] == ["Indexes"]
    examination.repair(full)
    assert examination.examine(full) == []


def test_nothing_is_made_of_pages_that_do_not_hold(device: Device, full: Store) -> None:
    full.db.checkpoint()
    device.close()
    whole, sealed = device.profile.store.read_bytes(), device.sealed()
    store, data = _with_one_bad_page(device, whole)
    (check,) = examination.checks(store)
    assert (check.name, len(check.problems)) == ("Pages of the store", 1)
    with pytest.raises(StoreDamaged):
        examination.repair(store)
    device.close()
    assert device.profile.store.read_bytes() == data
    assert device.sealed() == sealed


def _with_one_bad_page(device: Device, whole: bytes) -> tuple[Store, bytes]:
    """A store that opens all the same: the page is none of those that are read for that."""
    for at in reversed(range(len(whole) // 4096)):
        data = bytearray(whole)
        data[at * 4096 + 50] ^= 1
        device.profile.store.write_bytes(data)
        with contextlib.suppress(StoreDamaged):
            return device.open(), bytes(data)
    raise AssertionError
