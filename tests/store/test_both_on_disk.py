"""A save is on the disk twice, in the store and sealed: at the same time, and nobody is told before."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from typing import Any

import pytest

from app.errors import AppError
from app.store import records
from app.store.store import Store
from tests.store.device import CUSTOMER, Device

DEADLINE_S = 10.0


def _syncing(monkeypatch: pytest.MonkeyPatch, device: Device, instead: Callable[[], None]) -> None:
    """Have `instead` called before the disk takes the sealed outbox; where it raises, the disk takes nothing."""
    fsync, file = os.fsync, device.profile.sealed_outbox

    def syncing(handle: int) -> None:
        if os.fstat(handle).st_ino == file.stat().st_ino:
            instead()
        fsync(handle)

    monkeypatch.setattr(os, "fsync", syncing)


def _failing(times: int) -> Callable[[], None]:
    left = [times]

    def fail() -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise OSError(errno.EIO, "staged")

    return fail


def test_the_disk_takes_both_at_once_and_nobody_is_told_before(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed, happened = threading.Event(), []
    execute = store.db.execute

    def executing(sql: str, values: Any = ()) -> int:
        if sql == "COMMIT":
            written = device.sealed()[device.id, device.incarnation]
            happened.append(f"{len(written)} written")
        changed = execute(sql, values)
        if sql == "COMMIT":
            happened.append("committed")
            committed.set()
        return changed

    def slow_disk() -> None:
        assert committed.wait(DEADLINE_S), "the commit waits for the disk to take the sealed record"
        happened.append("sealed")

    monkeypatch.setattr(store.db, "execute", executing)
    _syncing(monkeypatch, device, slow_disk)
    records.add(store, CUSTOMER, {"name": "Anna"})
    assert happened == ["1 written", "committed", "sealed"]


def test_a_record_that_the_disk_did_not_take_is_sealed_once_more(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    _syncing(monkeypatch, device, _failing(2))  # the sync itself, and that of the cut behind it
    records.add(store, CUSTOMER, {"name": "Bert"})
    device.assert_sealed(store)
    assert store.unsent() == 2
    again = device.reopen()
    device.assert_sealed(again)
    assert again.incarnation == device.incarnation
    assert not device.profile.sealed_lost.exists()


def test_no_other_act_is_written_before_the_last_is_sealed(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = records.add(store, CUSTOMER, {"name": "Anna"})
    with monkeypatch.context() as patch:
        _syncing(patch, device, _failing(10**9))
        for _time in range(2):  # the first is kept and not sealed; the second is not even begun
            with pytest.raises(AppError, match="kept on this device"):
                records.edit(store, anna.id, {"industry": "Tea"})
        with pytest.raises(AppError, match="kept on this device"):
            records.add(store, CUSTOMER, {"name": "Never"})
    assert records.get(store, anna.id).values["industry"] == "Tea"
    assert (store.unsent(), store.counts()["customer"]) == (2, 1)
    records.edit(
        store, anna.id, {"industry": "Tea"}
    )  # changes nothing, and is not called saved before all is sealed
    device.assert_sealed(store)
    records.add(store, CUSTOMER, {"name": "Bert"})
    device.assert_sealed(store)
    device.assert_sealed(device.reopen())


def test_an_act_that_the_disk_never_sealed_is_sealed_at_the_next_open(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        _syncing(patch, device, _failing(10**9))
        with pytest.raises(AppError, match="kept on this device"):
            records.add(store, CUSTOMER, {"name": "Anna"})
    again = device.reopen()
    assert again.unsent() == 1
    device.assert_sealed(again)


@pytest.mark.parametrize("left", ["nothing", "a part", "zeros"])
def test_a_power_cut_that_took_the_sealed_record_alone(device: Device, store: Store, left: str) -> None:
    """The store's commit was on the disk, the record was not: of an act of which nobody had been told."""
    records.add(store, CUSTOMER, {"name": "Anna"})
    whole = store.seal.length
    records.add(store, CUSTOMER, {"name": "Bert"})
    device.close()
    path = device.profile.sealed_outbox
    data = path.read_bytes()
    tail = {"nothing": b"", "a part": data[whole:-20], "zeros": bytes(len(data) - whole)}[left]
    path.write_bytes(data[:whole] + tail)
    again = device.open()
    assert again.unsent() == 2
    assert again.incarnation == device.incarnation
    device.assert_sealed(again)
    device.assert_sealed(device.reopen())


def test_what_a_killed_run_left_to_the_system_is_on_the_disk_once_it_is_open(
    device: Device, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    records.add(store, CUSTOMER, {"name": "Anna"})
    device.close()
    synced: list[str] = []
    _syncing(monkeypatch, device, lambda: synced.append("sealed"))
    device.open()
    assert synced == ["sealed"]
