"""A file of an older version is changed with a copy at hand, kept until the changed one opens well."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import pytest

from app.errors import AppError, NoSpace, StoreDamaged
from app.store import before, building, records, schema, space
from app.store.store import Store
from sync.protocol.texts import gettext as _
from tests.store.device import CUSTOMER, Device
from tests.store.exchanges import page, row
from tests.store.test_steps import make_older


@pytest.fixture
def older(device: Device) -> Device:
    """A closed store of version 1 with unsent work and a row of the server."""
    store = device.create()
    page(store, row(b"a" * 16, 10, name="Theirs"))
    with records.batch(store) as batch:
        for n in range(30):
            batch.add(CUSTOMER, {"name": f"Kept {n}", "notes": "words " * 50})
    device.close()
    make_older(device)
    return device


def test_the_copy_is_kept_until_the_next_good_open(older: Device) -> None:
    copy = older.profile.store_before
    old = older.profile.store.read_bytes()
    store = older.open()
    assert (store.db.version, store.unsent(), store.counts()["customer"]) == (schema.VERSION, 30, 31)
    assert copy.read_bytes() == old
    assert copy.stat().st_mode & 0o777 == 0o600
    older.reopen()
    assert not copy.exists()
    assert sorted(path.name for path in older.profile.folder.iterdir()) == [
        "outbox.seal", "store.db", "store.db-shm", "store.db-wal",
    ]  # fmt: skip


def test_a_copy_is_ours_to_wipe(older: Device) -> None:
    older.open()
    assert all(older.profile.is_ours(path.name) for path in older.profile.folder.iterdir())


def test_without_room_for_a_copy_nothing_is_begun(older: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    old = older.profile.store.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=len(old)))
        with pytest.raises(NoSpace, match="room"):
            older.open()
    assert older.profile.store.read_bytes() == old
    assert not older.profile.store_before.exists()
    assert older.open().db.version == schema.VERSION


def test_a_change_that_fails_leaves_the_old_file(older: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise AppError(_("Something went wrong."))

    with monkeypatch.context() as patch:
        patch.setattr(building, "STEPS", {1: fail})
        with pytest.raises(AppError, match="Something"):
            older.open()
        with pytest.raises(AppError, match="Something"):
            older.open()
    store = older.open()
    assert (store.db.version, store.unsent()) == (schema.VERSION, 30)


@pytest.mark.expected_warnings("the store did not hold")
def test_a_changed_file_that_does_not_hold_gives_way_to_the_copy(older: Device) -> None:
    older.open()
    older.close()
    older.profile.store.write_bytes(b"\0" * 8_192)
    store = older.open()
    assert (store.db.version, store.unsent(), store.counts()["customer"]) == (schema.VERSION, 30, 31)
    older.assert_sealed(store)
    records.add(store, CUSTOMER, {"name": "And on"})
    older.reopen()
    assert not older.profile.store_before.exists()


def test_a_copy_that_knows_less_than_the_sealed_outbox_takes_no_place(older: Device) -> None:
    store = older.open()
    records.add(store, CUSTOMER, {"name": "Done since"})
    older.close()
    sealed = older.profile.sealed_outbox.read_bytes()
    older.profile.store.write_bytes(b"\0" * 8_192)
    with pytest.raises(StoreDamaged):
        older.open()
    assert older.profile.store.read_bytes() == b"\0" * 8_192
    assert older.profile.sealed_outbox.read_bytes() == sealed


def test_a_damaged_copy_takes_no_place(older: Device) -> None:
    older.open()
    older.close()
    for path in (older.profile.store, older.profile.store_before):
        path.write_bytes(b"\0" * 8_192)
    with pytest.raises(StoreDamaged):
        older.open()


def test_what_leaves_this_device_leaves_the_copy_too(older: Device) -> None:
    store = older.open()
    assert older.profile.store_before.exists()
    page(store, row(b"a" * 16, 11, gone="left"))
    assert not older.profile.store_before.exists()


def test_a_page_of_the_server_needs_room_before_it_is_begun(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=10 * space.ROW))
    page(store, *[row(b"few %12d" % n, 5, name="Few") for n in range(10)])
    with pytest.raises(NoSpace, match="room"):
        page(store, *[row(b"many%12d" % n, 6, name="Many") for n in range(11)])
    assert (store.counts()["customer"], store.here().cursor.seq) == (10, 5)


def test_no_copy_is_made_of_a_file_of_this_version(device: Device, store: Store) -> None:
    device.reopen()
    assert not device.profile.store_before.exists()
    before.forget(device.profile)
