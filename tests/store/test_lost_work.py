"""Work that the store has lost: its sealed record may be the last copy, and no opening destroys it."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from app.store import outbox, records, seal
from app.store.store import Store
from sync.protocol import outbox_seal
from tests.protocol.sealed import open_records
from tests.store.device import TASK, Device


def _add(store: Store, *subjects: str) -> None:
    for subject in subjects:
        records.add(store, TASK, {"subject": subject})


def _kill(device: Device, folder: Path) -> Device:
    """The device as a kill leaves it: files as they are, with the store never closed."""
    shutil.copytree(device.profile.folder, folder)
    killed = Device(folder)
    killed.id, killed.incarnation, killed.recovery = device.id, device.incarnation, device.recovery
    return killed


def _handed_in(device: Device) -> list[str]:
    """The words of all that IT would recover, in the order of their numbers."""
    both = [*seal.read(device.profile.sealed_lost), *seal.read(device.profile.sealed_outbox)]
    return sorted(op.set["subject"] for ops in open_records(both, device.recovery).values() for op in ops)


def _spoil(device: Device, how: str, older: bytes) -> None:
    store = device.profile.store
    log = store.with_name(store.name + "-wal")
    if how == "bit":
        data = bytearray(log.read_bytes())
        data[32 + 24 + 100] ^= 1
        log.write_bytes(data)
    else:
        log.unlink()
        store.with_name(store.name + "-shm").unlink(missing_ok=True)
    if how == "older":
        store.write_bytes(older)


@pytest.mark.parametrize("how", ["bit", "gone", "older"])
def test_work_that_the_store_lost_stays_sealed(
    device: Device, store: Store, tmp_path: Path, how: str
) -> None:
    _add(store, "one")
    store.db.checkpoint()
    older = device.profile.store.read_bytes()
    _add(store, "two", "three", "four")
    killed = _kill(device, tmp_path / "killed")
    _spoil(killed, how, older)
    again = killed.open()
    assert again.unsent() == 1
    # New work takes no number of what was lost, or it would pass for it.
    _add(again, "five")
    killed.assert_sealed(again)
    assert _handed_in(killed) == ["five", "four", "one", "three", "two"]
    lost = killed.profile.sealed_lost
    assert stat.S_IMODE(lost.stat().st_mode) == 0o600 and killed.profile.is_ours(lost.name)
    size = lost.stat().st_size
    killed.assert_sealed(killed.reopen())
    assert lost.stat().st_size == size
    assert _handed_in(killed) == ["five", "four", "one", "three", "two"]
    killed.close()


@pytest.mark.parametrize("how", ["never ends", "a record", "one bit"])
def test_a_laid_file_of_the_same_length_is_sealed_again(device: Device, store: Store, how: str) -> None:
    _add(store, "one", "two")
    incarnation = store.incarnation
    device.close()
    path = device.profile.sealed_outbox
    data = path.read_bytes()
    head = outbox_seal.LENGTH
    laid = {
        "never ends": head.pack(2**20) + os.urandom(len(data) - head.size),
        "a record": head.pack(len(data) - head.size) + os.urandom(len(data) - head.size),
        "one bit": data[:60] + bytes([data[60] ^ 1]) + data[61:],
    }[how]
    path.write_bytes(laid)
    again = device.open()
    assert (again.incarnation == incarnation) is (how == "never ends")
    _add(again, "three")
    device.assert_sealed(again)
    assert [op.set["subject"] for op in outbox.every(again.db)] == ["one", "two", "three"]
    if how != "never ends":
        assert len(list(seal.read(device.profile.sealed_lost))) == 1
    device.assert_sealed(device.reopen())


def test_a_torn_record_among_what_was_set_aside_hides_none(device: Device, store: Store) -> None:
    _add(store, "one", "two")
    frames = list(store.seal.frames())
    lost = device.profile.sealed_lost
    lost.write_bytes(frames[0] + frames[1][:40])
    seal.set_aside(lost, iter(frames))
    assert lost.read_bytes() == b"".join(frames)
