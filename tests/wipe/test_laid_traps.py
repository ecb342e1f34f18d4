"""Files that somebody lays in the way: none of them wipes, and none of them stops a wipe."""

from __future__ import annotations

import json
import shutil

import pytest

from app.keys.ring import SystemKeyring
from tests.road import ANNA, Laptop, Town
from tests.wipe.test_bad_places import NO_BUS
from tests.wipe.test_every_crash import doomed


def _trap(town: Town, laptop: Laptop, name: str) -> Laptop:
    """A folder in which a file says that this laptop is being wiped; no order stands behind it."""
    trap = Laptop(town, town.folder / name, name)
    trap.folder.mkdir()
    _lay(trap, laptop)
    return trap


def _lay(there: Laptop, of: Laptop | None = None, **other: str) -> None:
    """Write the intent of a wipe that nobody ordered."""
    card = (of or there).card()
    intent = {
        "v": 1, "order_id": "0" * 32, "order_sha256": "0" * 64, "reason": "", "org": card.org,
        "org_name": card.org_name, "device": card.device, "enrolment": card.enrolment,
        "server_url": card.server_url, "policy_version": 1, "started": 1, **other,
    }  # fmt: skip
    there.profile.wipe_intent.write_text(json.dumps(intent))


@pytest.mark.parametrize("along", [(), ("root.json",), ("root.json", "store.hdr", "device.json")])
def test_a_file_alone_wipes_nothing(town: Town, along: tuple[str, ...]) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Northwind")
    before = laptop.entries()
    trap = _trap(town, laptop, f"trap-{len(along)}")
    for name in along:
        shutil.copy(laptop.folder / name, trap.folder / name)
    for verb in ("sync", "list customer"):
        assert trap.ask(*verb.split()).code == 1
    assert trap.ask("status").code == (
        0 if "device.json" in along else 1
    )  # who has a card can say how it stands
    assert laptop.entries() == before
    assert len(laptop.json("list", "customer")) == 1
    assert town.device(laptop)["state"] == "active"


def _unharmed(laptop: Laptop, before: tuple[list[str], dict[str, str]]) -> None:
    """Once the laid file is gone, everything is as it was."""
    laptop.profile.wipe_intent.unlink()
    assert set(before[0]) <= set(laptop.files())
    assert laptop.entries() == before[1]
    assert [task["subject"] for task in laptop.json("list", "task")] == ["unsent"]


def _busy(town: Town) -> tuple[Laptop, tuple[list[str], dict[str, str]]]:
    laptop = town.laptop(ANNA)
    laptop.add("task", subject="unsent")
    return laptop, (laptop.files(), laptop.entries())


def test_an_intent_of_another_device_destroys_nothing_here(town: Town) -> None:
    laptop, before = _busy(town)
    _lay(laptop, device="cd" * 16)  # the keyring knows nothing of it: wiped long since, or never there
    assert laptop.state() == "damaged"
    assert [laptop.ask(*verb.split()).code for verb in ("list task", "sync")] == [1, 1]
    _unharmed(laptop, before)


def test_an_intent_laid_while_the_keyring_is_away_destroys_nothing(town: Town) -> None:
    laptop, before = _busy(town)
    _lay(laptop)
    done = laptop.ask("status", env=NO_BUS)
    assert (done.code, "Nothing was destroyed" in done.err) == (1, True), done.err
    _unharmed(laptop, before)


@pytest.mark.parametrize("altered", [{"order": ""}, {"order_sha256": "0" * 64}])
def test_while_the_keyring_is_away_an_intent_needs_its_order(town: Town, altered: dict[str, str]) -> None:
    lost = doomed(town)
    assert lost.die(0)  # the intent stands
    path = lost.laptop.profile.wipe_intent
    written = path.read_bytes()
    path.write_text(json.dumps(json.loads(written) | altered | {"check": ""}))
    before = lost.laptop.files()
    assert lost.laptop.ask("sync", env=NO_BUS).code == 1
    assert lost.laptop.files() == before
    path.write_bytes(written)
    assert lost.laptop.ask("sync", env=NO_BUS).code == 4
    assert "store.db" not in lost.laptop.files()
    lost.end()


def test_with_its_keys_lost_a_laid_intent_destroys_no_store(town: Town) -> None:
    """They may come back with a backup of the keyring."""
    laptop, before = _busy(town)
    ring = SystemKeyring(laptop.card().org, laptop.card().device)
    ring.delete("ring.1")
    _lay(laptop)
    assert laptop.ask("list", "task").code == 1
    ring.set("ring.1", before[1]["ring.1"])
    _unharmed(laptop, before)


@pytest.mark.parametrize("name", ["wipe.receipt", "wipe.intent", "tombstone.json"])
def test_what_no_order_stands_behind_is_damage_and_orders_come(town: Town, name: str) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("task", subject="unsent")
    (laptop.folder / name).write_bytes(b"")
    said = laptop.json("status")
    assert (said["state"], "wiped by" in said["message"]) == ("damaged", False)
    assert laptop.ask("list", "task").code == 1
    done = laptop.ask("sync")
    assert (done.code, "is with IT now, sealed." in done.err) == (1, True), done.err
    (laptop.folder / name).unlink()
    assert [task["subject"] for task in laptop.json("list", "task")] == ["unsent"]
    (laptop.folder / name).write_bytes(b"x")
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (["profile.lock", "tombstone.json"], {})
    assert town.device(laptop)["receipt"] == "verified"


@pytest.mark.parametrize("stone", ["rotten", "unproven"])
def test_a_stone_that_somebody_laid_is_named_and_moved_out(town: Town, stone: str) -> None:
    laptop, before = _busy(town)
    card = laptop.card()
    said = {"org": card.org, "org_name": "Example", "device": card.device, "order_id": "1", "reason": "r"}
    laptop.profile.tombstone.write_text("{" if stone == "rotten" else json.dumps({**said, "wiped": 1}))
    for words in (("list", "task"), ("sync",), ("status",), ("doctor",), ("doctor", "--repair")):
        done = laptop.ask(*words)
        assert "move tombstone.json out of the folder" in done.out + done.err, words
        assert "Ask IT whether this device was wiped." in done.out + done.err, words
        assert done.code == (0 if words == ("status",) else 1)
    assert set(before[0]) <= set(laptop.files())
    assert laptop.entries() == before[1]
    laptop.profile.tombstone.rename(laptop.folder.with_suffix(".stone"))
    assert [task["subject"] for task in laptop.json("list", "task")] == ["unsent"]
    assert laptop.json("doctor")["ok"] is True
    laptop.folder.with_suffix(".stone").rename(laptop.profile.tombstone)
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (["profile.lock", "tombstone.json"], {})
    assert laptop.ask("list", "task").code == 4


def test_a_folder_in_the_place_of_a_file_is_damage_and_stops_no_wipe(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("task", subject="unsent")
    card = laptop.profile.device.read_bytes()
    laptop.profile.device.unlink()
    laptop.profile.device.mkdir()
    done = laptop.ask("sync")
    assert (done.code, "names this device is damaged" in done.err) == (1, True), done.err
    laptop.profile.device.rmdir()
    laptop.profile.device.write_bytes(card)
    laptop.profile.policy.unlink()
    laptop.profile.policy.mkdir()
    assert laptop.ask("sync").code in (0, 1)  # it comes again, and then the store opens
    assert laptop.profile.policy.is_file()
    laptop.profile.sealed_lost.mkdir()
    assert laptop.ask("doctor").code == 1
    for path in (laptop.profile.tombstone, laptop.profile.wipe_intent, laptop.profile.wipe_receipt):
        path.mkdir()
        assert laptop.state() == "damaged"
        assert laptop.ask("list", "task").code == 1
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (["profile.lock", "tombstone.json"], {})
    assert town.device(laptop)["receipt"] == "verified"


def test_a_receipt_laid_there_before_saves_no_key(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Northwind")
    (laptop.folder / "wipe.receipt").write_bytes(b"")
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (["profile.lock", "tombstone.json"], {})
    assert town.device(laptop)["receipt"] == "verified"


def test_a_receipt_laid_there_in_between_saves_no_key(town: Town) -> None:
    lost = doomed(town)
    assert lost.die(0)  # the intent stands
    (lost.laptop.folder / "wipe.receipt").write_bytes(b"{}")
    assert lost.laptop.ask("sync").code == 4
    assert (lost.laptop.files(), lost.laptop.entries()) == (["profile.lock", "tombstone.json"], {})


def test_a_wipe_that_was_begun_is_not_undone_by_taking_its_files_away(town: Town) -> None:
    lost = doomed(town)
    lost.laptop.json("unlock")
    assert lost.die(0)  # the intent stands
    lost.laptop.profile.wipe_intent.unlink()
    lost.laptop.profile.orders.unlink()
    town.server.stop()
    done = lost.laptop.ask("list", "customer")
    town.server.start()
    assert (done.code, "has not reached this device" in done.err) == (3, True), done.err
    assert lost.laptop.ask("sync").code == 4
    assert (lost.laptop.files(), lost.laptop.entries()) == (["profile.lock", "tombstone.json"], {})


def test_a_folder_with_somebodys_files_becomes_no_device(town: Town) -> None:
    laptop = town.laptop()
    laptop.folder.mkdir()
    (laptop.folder / "thesis.odt").write_text("years")
    done = laptop.ask("enrol", "--name", laptop.name, stdin=town.code(ANNA))
    assert (done.code, done.err.splitlines()[0]) == (1, "This folder holds files that are not Fieldkeep's.")


def test_a_wipe_takes_only_what_is_ours(town: Town) -> None:
    laptop = town.laptop(ANNA)
    (laptop.folder / "photos").mkdir()
    (laptop.folder / "photos" / "1.jpg").write_bytes(b"sun")
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert laptop.files() == ["photos/1.jpg", "profile.lock", "tombstone.json"]


def test_an_old_copy_put_back_after_a_lock_still_hears_it(town: Town) -> None:
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Northwind")
    shutil.copytree(laptop.folder, town.folder / "old")
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    shutil.rmtree(laptop.folder)
    shutil.move(town.folder / "old", laptop.folder)
    assert laptop.ask("sync").code == 3
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert town.device(laptop)["receipt"] == "verified"
