"""A wipe on a full disk, on one that takes nothing, with a damaged store, and with a keyring away for a while."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tests.road import ANNA, Laptop, Town
from tests.wipe.test_every_crash import LEFT, Doomed, doomed, recover, sealed_records, wanted, write

NO_BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus"}


def _fill(folder: Path) -> None:
    with (folder / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 1024)
        except OSError as error:
            assert error.errno == errno.ENOSPC


def _on(town: Town, folder: Path) -> Laptop:
    laptop = Laptop(town, folder / "profile", folder.parent.name[-20:])
    laptop.enrol(ANNA)
    return laptop


@pytest.mark.parametrize("locked", [False, True], ids=["open", "locked"])
def test_a_full_disk_holds_up_no_wipe(town: Town, small_disk: Path, locked: bool) -> None:
    laptop = _on(town, small_disk)
    write(laptop, 3)
    if locked:
        laptop.json("lock")
    town.order("wipe", laptop)
    lost = Doomed(town, laptop, laptop.card(), sealed_records(laptop))
    _fill(small_disk)
    done = laptop.ask("sync")
    assert (done.code, done.err.splitlines()[0]) == (4, "This device was wiped by Example.")
    if not locked:
        lost.unsent = town.device(laptop)[
            "outbox_records"
        ]  # the exchange that brought the order took the work along
        assert lost.unsent in (0, 1)
    lost.end()
    if locked:
        assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def test_a_disk_that_takes_nothing_loses_its_keys(town: Town, small_disk: Path) -> None:
    laptop = _on(town, small_disk)
    write(laptop, 3)
    laptop.json("lock")
    town.order("wipe", laptop)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    try:
        assert laptop.ask("sync").code == 4
        assert set(laptop.entries()) == {"dev", "trust"}
        assert laptop.ask("list", "customer").code == 1  # no key is left, and none is made anew
    finally:
        subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    assert laptop.ask("list", "customer").code == 1
    assert laptop.profile.sealed_outbox.stat().st_size > 0
    assert town.device(laptop)["receipt"] == "none"  # IT is told nothing that did not happen
    # The order still stands at the server, and the device still knows whom to believe: it ends as it must.
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (LEFT, {})
    assert town.device(laptop)["receipt"] == "verified"


def test_a_keyring_that_is_away_stops_neither_header_nor_files(town: Town) -> None:
    lost = doomed(town)
    laptop = lost.laptop
    assert lost.die(0)  # the intent stands, and then the keyring goes
    done = laptop.ask("status", "--json", env=NO_BUS)
    assert done.json["state"] == "wiped"
    assert laptop.ask("sync", env=NO_BUS).code == 4
    assert laptop.files() == sorted(
        ["device.json", "outbox.seal", "profile.lock", "root.json", "wipe.intent"]
    )
    assert "ring.1" in laptop.entries()
    assert laptop.ask("sync").code == 4  # it is back
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)


def test_a_keyring_that_goes_after_the_receipt_is_asked_again(town: Town) -> None:
    lost = doomed(town)
    assert lost.die(5)  # handed in; the tombstone is not written
    assert lost.laptop.ask("sync", env=NO_BUS).code == 4
    assert "wipe.intent" in lost.laptop.files()
    assert lost.laptop.ask("sync").code == 4
    lost.end()


def test_a_damaged_store_still_takes_its_orders(town: Town) -> None:
    laptop = town.laptop(ANNA)
    write(laptop, 3)
    laptop.profile.store.write_bytes(os.urandom(40_960))
    for end in ("-wal", "-shm"):
        laptop.profile.store.with_name("store.db" + end).unlink(missing_ok=True)
    done = laptop.ask("sync")
    assert (done.code, "damaged" in done.err) == (1, True)
    town.order("wipe", laptop)
    lost = Doomed(town, laptop, laptop.card(), sealed_records(laptop))
    assert laptop.ask("sync").code == 4
    assert laptop.files() == LEFT
    lost.end()
    assert recover(town, lost, town.laptop(ANNA)) == wanted(lost)
