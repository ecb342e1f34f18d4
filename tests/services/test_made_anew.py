"""A store whose file does not hold is made anew from the server, in the same folder, and no unsent work is lost.

Real files, a real server, each command a process.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app.services.opening import open_session
from app.store.store import Store
from tests.road import ANNA, BEN, Laptop, Town

PAGE = 4096
Damage = Callable[[Laptop], None]


def _store(laptop: Laptop) -> Path:
    return laptop.profile.store


def _spoil_header(laptop: Laptop) -> None:
    data = bytearray(_store(laptop).read_bytes())
    data[3] ^= 0x40
    _store(laptop).write_bytes(data)


def _spoil_page(root: str) -> Damage:
    """Turn a bit on the root page of a table or index."""

    def spoil(laptop: Laptop) -> None:
        def page_of(store: Store) -> int:
            return int(store.db.one("SELECT rootpage FROM sqlite_master WHERE name = ?", (root,))[0])

        with open_session(laptop.profile) as session:
            at = session.call(page_of)
            session.call(lambda store: store.db.checkpoint())
        data = bytearray(_store(laptop).read_bytes())
        data[(at - 1) * PAGE + 100] ^= 1
        _store(laptop).write_bytes(data)

    return spoil


def _empty(laptop: Laptop) -> None:
    _store(laptop).write_bytes(b"")


def _lose(laptop: Laptop) -> None:
    _store(laptop).unlink()


def _cut(laptop: Laptop) -> None:
    os.truncate(_store(laptop), _store(laptop).stat().st_size // PAGE // 2 * PAGE)


def _random(laptop: Laptop) -> None:
    _store(laptop).write_bytes(os.urandom(9 * PAGE))


READABLE = {
    "a page of customers": _spoil_page("record_customer"),
    "a page of search": _spoil_page("words_customer_data"),
    "a page of an index": _spoil_page("record_customer_key"),
}
UNREADABLE = {
    "the header of the file": _spoil_header,
    "a page of the outbox": _spoil_page("outbox"),
    "a page of what was sealed": _spoil_page("sealed"),
    "an empty file": _empty,
    "no file": _lose,
    "a cut file": _cut,
    "other bytes": _random,
}
SLOW = ("a page of search", "a page of an index", "a page of what was sealed", "a cut file", "other bytes")


def _each(damages: dict[str, Damage]) -> list[object]:
    slow = [pytest.mark.slow]
    return [
        pytest.param(damage, id=name, marks=slow if name in SLOW else ()) for name, damage in damages.items()
    ]


def _laptop(town: Town) -> tuple[Laptop, str, str]:
    """A laptop with records of the server, one of them edited, and a new one, both unsent."""
    laptop = town.laptop(ANNA)
    sent = laptop.add("customer", name=f"{laptop.name} sent", notes="words " * 900)
    laptop.add("contact", name=f"{laptop.name} contact", customer=sent)
    laptop.sync()
    laptop.edit(sent, industry="Unsent edit")
    made = laptop.add("task", subject=f"{laptop.name} unsent", customer=sent)
    return laptop, sent, made


def _without_log(laptop: Laptop) -> None:
    for end in ("-wal", "-shm"):
        laptop.profile.store.with_name("store.db" + end).unlink(missing_ok=True)


def _told(laptop: Laptop) -> None:
    """Each command says what is wrong and what to do, and changes nothing."""
    before = _store(laptop).read_bytes() if _store(laptop).exists() else None
    for words in (
        ("list", "customer"),
        ("add", "task", "subject=x"),
        ("search", "x"),
        ("export", "customer", "x.csv"),
    ):
        done = laptop.ask(*words)
        assert (done.code, done.out) == (1, "")
        assert "The store on this device is damaged" in done.err
        assert "doctor --repair" in done.err
    looked = laptop.ask("doctor")
    assert looked.code == 1
    assert "doctor --repair" in looked.out
    assert (_store(laptop).read_bytes() if _store(laptop).exists() else None) == before


@pytest.mark.parametrize("damage", _each(READABLE))
def test_what_waits_is_carried_over_where_the_old_file_tells_it(town: Town, damage: Damage) -> None:
    laptop, sent, made = _laptop(town)
    numbers = laptop.json("status")["unsent"]
    damage(laptop)
    done = laptop.ask("doctor", "--repair", "--json")
    assert (done.code, done.json["ok"]) == (0, True), done.out
    (said,) = [each["found"] for each in done.json["checks"] if each["name"] == "Store made anew"]
    assert said.endswith(f"; {numbers} unsent changes were carried over")
    assert laptop.show(sent)["industry"] == "Unsent edit"
    assert laptop.show(made)["subject"] == f"{laptop.name} unsent"
    assert not laptop.profile.store_aside.exists()
    assert laptop.sync()["set_aside"] == 0
    other = town.laptop(BEN)
    other.sync()
    assert other.show(sent)["industry"] == "Unsent edit"
    assert [each["subject"] for each in other.json("list", "task")].count(f"{laptop.name} unsent") == 1
    assert laptop.ask("doctor").code == 0


@pytest.mark.parametrize("damage", _each(UNREADABLE))
def test_what_waits_comes_back_through_it_where_the_old_file_is_silent(town: Town, damage: Damage) -> None:
    """The device cannot open its own seal: the new store is filled from the server, and IT gives the rest back."""
    laptop, sent, made = _laptop(town)
    damage(laptop)
    _without_log(laptop)
    if (
        damage is not UNREADABLE["a page of the outbox"]
        and damage is not UNREADABLE["a page of what was sealed"]
    ):
        _told(laptop)
    done = laptop.ask("doctor", "--repair", "--json")
    assert (done.code, done.json["ok"]) == (0, True), done.out
    found = {each["name"]: each["found"] for each in done.json["checks"]}
    assert found["Store made anew"].startswith("filled with ")
    assert found["Sealed work"].startswith("2 sealed records")
    assert laptop.show(sent)["name"] == f"{laptop.name} sent"
    assert laptop.show(sent)["industry"] is None
    laptop.add("task", subject=f"{laptop.name} made since")
    assert laptop.sync()["set_aside"] == 2
    assert town.admin("recover", laptop.id, "--to", laptop.id)["handed_over"] == 2
    assert laptop.sync()["recovered"] == 2
    laptop.sync()
    assert laptop.show(sent)["industry"] == "Unsent edit"
    subjects = [each["subject"] for each in laptop.json("list", "task")]
    assert [subjects.count(f"{laptop.name} {word}") for word in ("unsent", "made since")] == [1, 1]
    assert laptop.show(made)["subject"] == f"{laptop.name} unsent"
    assert not laptop.profile.sealed_lost.exists()
    assert laptop.ask("doctor").code == 0


def test_a_file_of_another_device_is_put_aside_and_not_used(town: Town) -> None:
    laptop, sent, _made = _laptop(town)
    other = town.laptop(BEN)
    other.add("task", subject="of another device")
    other.sync()
    shutil.copy(_store(other), _store(laptop))
    _without_log(laptop)
    foreign = _store(laptop).read_bytes()
    _told(laptop)
    done = laptop.ask("doctor", "--repair", "--json")
    assert (done.code, done.json["ok"]) == (0, True), done.out
    assert laptop.profile.store_aside.read_bytes() == foreign
    (said,) = [each for each in done.json["checks"] if each["name"] == "File put aside"]
    assert (said["level"], laptop.profile.store_aside.name in said["found"]) == ("warning", True)
    assert laptop.show(sent)["name"] == f"{laptop.name} sent"
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert laptop.files() == ["profile.lock", "tombstone.json"]


def test_without_the_server_nothing_is_replaced(town: Town) -> None:
    laptop, _sent, _made = _laptop(town)
    _spoil_header(laptop)
    _without_log(laptop)
    before = {
        path.name: path.read_bytes()
        for path in laptop.folder.iterdir()
        if path.name.startswith(("store", "outbox"))
    }
    town.server.stop()
    try:
        done = laptop.ask("doctor", "--repair")
    finally:
        town.server.start()
    assert done.code == 1
    assert "not without the server" in done.out
    after = {
        path.name: path.read_bytes()
        for path in laptop.folder.iterdir()
        if path.name.startswith(("store", "outbox"))
    }
    assert after == before


def test_an_order_comes_before_any_repair(town: Town) -> None:
    laptop, _sent, _made = _laptop(town)
    _spoil_header(laptop)
    _without_log(laptop)
    town.order("lock", laptop)
    done = laptop.ask("doctor", "--repair")
    assert done.code == 3, done.out + done.err
    town.order("wipe", laptop)
    assert laptop.ask("sync").code == 4
    assert not _store(laptop).exists()


def test_a_newer_file_is_never_replaced(
    town: Town, caplog: pytest.LogCaptureFixture, expect_warning: Callable[[str], None]
) -> None:
    laptop, _sent, _made = _laptop(town)

    def newer(store: Store) -> None:
        with store.db.building():
            store.db.execute("PRAGMA user_version = 99")

    with open_session(laptop.profile) as session:
        session.call(newer)
    if "no upkeep" in caplog.text:  # it may look at the file just then
        expect_warning("no upkeep: NewerStore")
    before = _store(laptop).read_bytes()
    for words in (("list", "customer"), ("sync",), ("doctor",), ("doctor", "--repair")):
        done = laptop.ask(*words)
        assert done.code == 1
        assert "This store was made by a newer Fieldkeep." in done.out + done.err
        assert "Install the newest version" in done.out + done.err
    assert _store(laptop).read_bytes() == before
