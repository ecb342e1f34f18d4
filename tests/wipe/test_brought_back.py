"""A backup put back over a wiped folder, with its keyring: it never opens again, and it goes as the first one did."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from app.errors import Wiped
from app.keys import vault
from app.keys.ring import SystemKeyring
from app.services.card import Card
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, DAY_MS, Laptop, Town

LEFT = ["profile.lock", "tombstone.json"]


class Backup:
    """Folder and keyring of a laptop as they were the day before its wipe."""

    def __init__(self, town: Town, *, then_keys: bool = False) -> None:
        self.laptop: Laptop = town.laptop(ANNA)
        self.laptop.add("task", subject="secret")
        self.laptop.sync()
        self.card: Card = self.laptop.card()
        self._entries = self.laptop.entries()
        self._copy: Path = town.folder / f"backup-{self.laptop.name}"
        shutil.copytree(self.laptop.folder, self._copy)
        if then_keys:
            self.laptop.json("keys", "rotate")
        town.order("wipe", self.laptop)
        assert self.laptop.ask("sync").code == 4
        assert (self.laptop.files(), device_entries(self.card.device)) == (LEFT, {})

    def put_back(self, *, keyring: bool = True) -> None:
        """Lay it over what the wipe has left."""
        shutil.copytree(self._copy, self.laptop.folder, dirs_exist_ok=True)
        ring = SystemKeyring(self.card.org, self.card.device)
        for name, value in self._entries.items() if keyring else ():
            ring.set(name, value)

    def altered_stone(self, **values: object) -> None:
        """A stone that says something else."""
        path = self.laptop.profile.tombstone
        path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize("verb", ["list task", "sync", "status"])
def test_beside_its_stone_it_is_destroyed_again(town: Town, verb: str) -> None:
    backup = Backup(town)
    backup.put_back()
    town.server.stop()
    done = backup.laptop.ask(*verb.split())
    town.server.start()
    assert done.code == (0 if verb == "status" else 4)
    assert "wiped by" in done.out + done.err
    assert (backup.laptop.files(), device_entries(backup.card.device)) == (LEFT, {})
    assert backup.laptop.ask("list", "task").code == 4


def test_what_is_of_before_a_change_of_keys_is_destroyed_again_as_well(town: Town) -> None:
    """The ring key of the stone is another one: the device's own signature tells."""
    backup = Backup(town, then_keys=True)
    backup.put_back()
    assert {"ring.1", "share.1", "dev"} <= set(device_entries(backup.card.device))
    assert backup.laptop.ask("list", "task").code == 4
    assert (backup.laptop.files(), device_entries(backup.card.device)) == (LEFT, {})


def test_the_vault_knows_the_stone_too(town: Town) -> None:
    backup = Backup(town)
    backup.put_back()
    with pytest.raises(Wiped):
        vault.open_key(backup.laptop.profile, SystemKeyring(backup.card.org, backup.card.device))


def test_keys_alone_that_come_back_go_again(town: Town) -> None:
    backup = Backup(town)
    backup.put_back()
    backup.laptop.profile.device.unlink()
    assert backup.laptop.ask("list", "task").code == 4
    assert (backup.laptop.files(), device_entries(backup.card.device)) == (LEFT, {})


def test_a_folder_without_its_keys_says_that_it_was_wiped(town: Town) -> None:
    backup = Backup(town)
    backup.put_back(keyring=False)
    before = backup.laptop.files()
    assert backup.laptop.ask("list", "task").code == 4
    assert backup.laptop.files() == before  # nothing proves an order, and nothing opens either


@pytest.mark.parametrize("intent", [None, "forged"])
def test_a_stone_that_proves_nothing_destroys_nothing_and_opens_nothing(
    town: Town, intent: str | None
) -> None:
    backup = Backup(town)
    stone = json.loads(backup.laptop.profile.tombstone.read_text())
    backup.put_back()
    backup.altered_stone(intent=intent and stone["intent"] | {"mac": "0" * 64}, signed="0" * 128)
    before = set(backup.laptop.files())
    done = backup.laptop.ask("list", "task")
    assert (done.code, "no order stands behind it" in done.err) == (1, True), done.err
    assert before <= set(backup.laptop.files())
    assert "ring.1" in device_entries(backup.card.device)


def test_without_the_stone_the_server_shuts_it(town: Town) -> None:
    backup = Backup(town)
    backup.put_back()
    backup.laptop.profile.tombstone.unlink()
    done = backup.laptop.ask("sync")
    assert (done.code, "This device is not enrolled any more." in done.err) == (3, True), done.err
    town.server.stop()
    done = backup.laptop.ask("list", "task")
    town.server.start()
    assert (done.code, "This device is not enrolled any more." in done.err) == (3, True), done.err
    assert "share.1" not in device_entries(backup.card.device)
    assert backup.laptop.profile.sealed_outbox.exists()
    assert str(backup.laptop.profile.sealed_outbox) in done.err  # what was not sent: IT takes it from there


def test_a_new_enrolment_in_the_same_folder_is_another_device(town: Town) -> None:
    backup = Backup(town)
    stone = backup.laptop.profile.tombstone.read_bytes()
    backup.laptop.enrol(ANNA)
    backup.laptop.profile.tombstone.write_bytes(stone)
    backup.laptop.sync()
    assert [task["subject"] for task in backup.laptop.json("list", "task")]


def test_the_folder_alone_without_a_stone_opens_nothing(town: Town) -> None:
    """Taken off the machine and put back from a backup; its keyring was not in it."""
    backup = Backup(town)
    shutil.rmtree(backup.laptop.folder)
    backup.put_back(keyring=False)
    before = backup.laptop.files()
    for verb in (("list", "task"), ("unlock",)):
        done = backup.laptop.ask(*verb)
        assert (done.code, done.out) == (1, ""), done.err
    assert backup.laptop.ask("sync").code != 0
    assert set(before) <= set(backup.laptop.files())
    assert device_entries(backup.card.device) == {}  # and none is made anew


@pytest.mark.parametrize("on", ["the same machine", "another boot"])
def test_a_whole_image_put_back_opens_until_its_lease_ends_and_no_longer(town: Town, on: str) -> None:
    """What nobody can keep from being so, offline: the image of the day before. It goes dark by itself, and at the
    first contact."""
    backup = Backup(town)
    backup.put_back()
    backup.laptop.profile.tombstone.unlink()
    boot = {} if on == "the same machine" else {"boot_id": "a resumed image"}
    town.server.stop()
    assert backup.laptop.later("list", "task", wall_ms=DAY_MS, boot_ms=DAY_MS, **boot).code == 0
    done = backup.laptop.later("list", "task", wall_ms=22 * DAY_MS, boot_ms=22 * DAY_MS, **boot)
    assert done.code == 3
    assert "share.1" not in device_entries(backup.card.device)
    done = backup.laptop.later("list", "task", **boot)  # the clocks turned back help nobody any more
    assert done.code == 3
    town.server.start()
    done = backup.laptop.ask("sync")
    assert (done.code, "This device is not enrolled any more." in done.err) == (3, True), done.err
    assert "share.1" not in device_entries(backup.card.device)
