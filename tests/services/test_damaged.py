"""A device whose small files do not hold: orders reach it, its unsent work reaches IT, and it never opens or unlocks.

Every piece is damaged in turn, beside a real keyring and a real server.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

import pytest

from app.keys.ring import SystemKeyring
from app.viewmodels.notices import Screen
from app.viewmodels.shell import Shell
from tests.road import ANNA, Laptop, Town
from tests.services.test_enrolment import HELD
from tests.viewmodels.conftest import Held

LEFT = ["profile.lock", "tombstone.json"]
Damage = Callable[[Laptop], None]


def _spoil(*names: str) -> Damage:
    """Other bytes in the place of these files."""

    def spoil(laptop: Laptop) -> None:
        for name in names:
            (laptop.folder / name).write_bytes(os.urandom(500))

    return spoil


def _lose(*names: str) -> Damage:
    """These files are gone."""

    def lose(laptop: Laptop) -> None:
        for name in names:
            (laptop.folder / name).unlink()

    return lose


def _all(*names: str) -> Iterable[object]:
    for name in names:
        yield pytest.param(_spoil(*name.split("+")), id=f"{name} spoiled")
        yield pytest.param(_lose(*name.split("+")), id=f"{name} lost", marks=pytest.mark.slow)


LOST_FOR_GOOD = [
    *_all("store.hdr", "state.json"),
    pytest.param(_lose("store.hdr", "state.json", "store.db"), id="all three lost", marks=pytest.mark.slow),
    pytest.param(
        _spoil("store.hdr", "state.json", "root.json", "policy.json"),
        id="all small files",
        marks=pytest.mark.slow,
    ),
    pytest.param(_spoil("store.db"), id="store.db spoiled"),
]
MENDED = [*_all("policy.json", "root.json", "root.json+policy.json")]


def _damaged(town: Town, damage: Damage) -> Laptop:
    """A laptop with one unsent change, and then the damage."""
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Sent long ago")
    laptop.sync()
    laptop.add("task", subject=f"{laptop.name} unsent")
    damage(laptop)
    for end in ("-wal", "-shm"):
        laptop.profile.store.with_name("store.db" + end).unlink(missing_ok=True)
    return laptop


@pytest.mark.parametrize("damage", LOST_FOR_GOOD)
def test_work_goes_in_and_orders_come(town: Town, damage: Damage) -> None:
    laptop = _damaged(town, damage)
    assert laptop.ask("list", "customer").code == 1
    said = laptop.json("status")
    assert (said["state"], said["device"], said["customers"]) == ("damaged", laptop.name, None)
    assert said["message"]
    done = laptop.ask("doctor", "--json")
    assert (done.code, done.json["ok"]) == (1, False)

    done = laptop.ask("sync")
    assert (done.code, "is with IT now, sealed." in done.err) == (1, True), done.err
    heir = town.laptop(ANNA)
    town.admin("recover", laptop.id, "--to", heir.id)
    heir.sync()
    assert f"{laptop.name} unsent" in {each["subject"] for each in heir.json("list", "task")}
    assert town.device(laptop)["state"] == "active"

    town.order("lock", laptop)
    assert laptop.ask("sync").code == 1
    assert town.device(laptop)["state"] == "locked"
    assert "share.1" not in laptop.entries()
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 1
    only_the_store = laptop.profile.header.exists() and laptop.profile.header.read_bytes()[:1] == b"{"
    unlocks = (
        only_the_store and laptop.profile.state.exists() and laptop.profile.state.read_bytes()[:1] == b"{"
    )
    assert ("share.1" in laptop.entries()) is unlocks  # where all that guards it holds, an unlock is one

    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (LEFT, {})
    assert town.device(laptop)["receipt"] == "verified"


@pytest.mark.parametrize("damage", MENDED)
def test_lost_documents_come_back_with_the_servers_answer(town: Town, damage: Damage) -> None:
    laptop = _damaged(town, damage)
    before = laptop.json("status")
    assert before["state"] == "damaged"
    assert laptop.ask("list", "customer").code == 1
    town.server.stop()
    assert laptop.ask("sync").code in (1, 5)
    town.server.start()
    assert laptop.ask("sync").code == 0
    assert laptop.json("status")["state"] == "active"
    assert laptop.json("status")["unsent"] == 0
    assert laptop.json("doctor")["ok"] is True


@pytest.mark.parametrize("damage", MENDED[-2:])
def test_a_wipe_reaches_a_device_that_has_lost_its_documents(town: Town, damage: Damage) -> None:
    laptop = _damaged(town, damage)
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (LEFT, {})


def test_without_anything_to_believe_nothing_is_obeyed(town: Town) -> None:
    """State and the keyring's own word are gone: a wipe that nobody can check is not obeyed."""
    laptop = _damaged(town, _lose("state.json"))
    _forget(laptop, "trust")
    town.order("wipe", laptop)
    before = laptop.files()
    done = laptop.ask("sync")
    assert (done.code, "none is obeyed" in done.err) == (1, True)
    assert laptop.json("status")["state"] == "damaged"
    assert laptop.ask("doctor").code == 1
    assert laptop.files() == before
    assert set(laptop.entries()) == HELD - {"trust"}


def test_a_root_that_somebody_laid_there_is_not_believed(
    town: Town, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whoever can write the folder cannot bring a root of their own, nor another device's enrolment."""
    other = Town(tmp_path_factory.mktemp("other"))
    other.settle()
    stranger = other.laptop(ANNA)
    laptop = _damaged(town, _lose("state.json"))
    laptop.profile.root.write_bytes(stranger.profile.root.read_bytes())
    card = laptop.profile.device.read_text()
    laptop.profile.device.write_text(card.replace(town.server.url, other.server.url))
    done = laptop.ask("sync")
    assert (done.code, "none is obeyed" in done.err) == (1, True)
    laptop.profile.device.write_text(card)
    laptop.profile.root.unlink()
    assert laptop.ask("sync").code == 1
    assert laptop.profile.root.exists()  # our own server has it, and the keyring knows it
    second = town.laptop(ANNA)
    laptop.profile.device.write_text(card.replace(laptop.card().enrolment, second.card().enrolment))
    assert "none is obeyed" in laptop.ask("sync").err
    assert set(laptop.entries()) == HELD
    assert other.server.stop() == 0


def _forget(laptop: Laptop, name: str) -> None:
    """The keyring loses an entry."""
    card = laptop.card()
    assert SystemKeyring(card.org, card.device).delete(name)
    assert name not in laptop.entries()


def test_a_lost_ring_key_leaves_orders_their_way(town: Town) -> None:
    laptop = _damaged(town, lambda laptop: _forget(laptop, "ring.1"))
    assert laptop.json("status")["state"] == "damaged"
    done = laptop.ask("sync")
    assert (done.code, "sealed. Ask IT to recover it" in done.err) == (1, True), done.err
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert (laptop.files(), laptop.entries()) == (LEFT, {})


def test_an_unlock_that_a_damaged_device_took_is_not_kept_from_a_later_lock(town: Town) -> None:
    """The policy is lost while locked; unlock and a second lock arrive together; mended, it is locked."""
    laptop = _damaged(town, lambda laptop: None)
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    _spoil("policy.json")(laptop)
    town.order("unlock", laptop)
    town.order("lock", laptop)
    assert laptop.ask("sync").code == 3
    assert laptop.json("status")["state"] == "locked"
    town.order("unlock", laptop)
    assert laptop.ask("sync").code == 0


def test_an_altered_state_has_one_way_on_and_it_works(town: Town) -> None:
    """Every command says the same, before the work was handed in and after it, and whoever goes that way arrives."""
    laptop = _damaged(town, lambda laptop: None)
    text = laptop.profile.state.read_text()
    laptop.profile.state.write_text(text.replace('"active"', '"wiped!"', 1))
    assert laptop.profile.state.read_text() != text
    told = laptop.ask("list", "task")
    assert (told.code, told.err.splitlines()[-1].endswith(f"--profile {laptop.folder} sync")) == (1, True)
    way = "ask IT for an enrolment code and for this work, and enrol in an empty folder."
    for _again in range(2):
        status = laptop.json("status")
        assert (status["state"], status["message"].endswith(way)) == ("damaged", True)
        for words in (("doctor",), ("doctor", "--repair")):
            done = laptop.ask(*words)
            assert (done.code, way in done.out) == (1, True)
        done = laptop.ask("sync")
        assert (done.code, "enrol one in an empty folder." in done.err) == (1, True)
    heir = town.laptop(ANNA)
    town.admin("recover", laptop.id, "--to", heir.id)
    heir.sync()
    assert f"{laptop.name} unsent" in {each["subject"] for each in heir.json("list", "task")}


def test_nothing_is_said_to_be_with_it_where_nothing_was_sealed(town: Town) -> None:
    laptop = _damaged(town, _lose("store.hdr", "outbox.seal"))
    told = laptop.ask("sync")
    assert (told.code, "No sealed work was found here" in told.err) == (1, True)
    assert "with IT now" not in told.err


def test_a_window_on_it_hands_in_and_is_wiped(town: Town) -> None:
    """Who only ever opens the window: it says what is wrong, tries again by itself, and takes the wipe."""
    laptop = _damaged(town, _spoil("store.hdr"))
    held = Held()
    shell = Shell(laptop.profile, held, held)
    town.server.stop()
    shell.start()
    held.turn()
    assert (shell.screen, shell.notice.title) == (Screen.TROUBLE, "The key file of this store is damaged.")
    town.server.start()
    shell.tick()
    held.turn()
    assert _screen(shell) is Screen.TROUBLE
    assert "Ask IT to recover it" in shell.notice.body
    town.order("wipe", laptop)
    shell.tick()
    held.turn()
    assert _screen(shell) is Screen.WIPED
    shell.close(lambda: None)
    held.turn()
    assert (laptop.files(), laptop.entries()) == (LEFT, {})
    assert town.device(laptop)["outbox_records"] > 0


def _screen(shell: Shell) -> Screen:
    return shell.screen


def test_a_window_on_lost_documents_opens_by_itself(town: Town) -> None:
    laptop = _damaged(town, _lose("policy.json"))
    held = Held()
    shell = Shell(laptop.profile, held, held)
    shell.start()
    held.turn()
    assert shell.screen is Screen.WORK
    shell.close(lambda: None)
    held.turn()
