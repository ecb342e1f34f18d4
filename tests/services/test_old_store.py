"""A store of before beside the state of today, and a page of before within it: for SQLCipher both hold."""

from __future__ import annotations

import shutil

import pytest

from app.services.opening import open_session
from app.store.store import Store
from tests.road import ANNA, BEN, Laptop, Town

PAGE = 4096


def _at_rest(laptop: Laptop) -> bytes:
    """The store's file, with nothing beside it."""
    with open_session(laptop.profile) as session:
        session.call(lambda store: store.db.checkpoint())
    return laptop.profile.store.read_bytes()


def _put(laptop: Laptop, data: bytes) -> None:
    for end in ("-wal", "-shm"):
        laptop.profile.store.with_name("store.db" + end).unlink(missing_ok=True)
    laptop.profile.store.write_bytes(data)


def test_an_old_store_beside_the_state_of_today_loses_nothing(town: Town) -> None:
    """Only the store's file was put back: state, keyring and sealed outbox are of today."""
    laptop, other = town.laptop(ANNA), town.laptop(BEN)
    early = laptop.add("customer", name="Before the copy")
    laptop.sync()
    old = _at_rest(laptop)
    sent = laptop.add("customer", name="Sent after the copy")
    laptop.sync()
    waiting = laptop.add("customer", name="Not sent after the copy")
    _put(laptop, old)
    late = laptop.add("customer", name="Written in the old store")
    laptop.sync()
    laptop.sync()
    other.sync()
    assert {early, sent, late} <= set(laptop.holds()) & set(other.holds())
    # What the old file does not know was sealed before it was lost: IT has it, and the device asks for it.
    town.admin("recover", laptop.id, "--to", laptop.id)
    laptop.sync()
    other.sync()
    assert waiting in set(laptop.holds()) & set(other.holds())
    assert laptop.json("doctor")["ok"] is True


def test_an_old_page_is_found_by_comparing_and_mended(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="As it was", notes="n" * 3_000)
    laptop.sync()
    old = _at_rest(laptop)

    def page_of(store: Store) -> int:
        return int(store.db.one("SELECT rootpage FROM sqlite_master WHERE name = 'record_customer'")[0])

    with open_session(laptop.profile) as session:
        at = session.call(page_of)
    laptop.edit(record, industry="As it is today")
    laptop.sync()
    new = _at_rest(laptop)
    begin = (at - 1) * PAGE
    assert old[begin : begin + PAGE] != new[begin : begin + PAGE]
    _put(laptop, new[:begin] + old[begin : begin + PAGE] + new[begin + PAGE :])
    assert laptop.show(record)["industry"] != "As it is today"  # it opens, and nothing local tells
    done = laptop.ask("doctor", "--json")
    assert (done.code, done.json["ok"]) == (1, False)
    laptop.json("doctor", "--repair")
    assert laptop.show(record)["industry"] == "As it is today"
    assert laptop.json("doctor")["ok"] is True


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_whichever_old_page_it_is_all_is_there_after_a_repair(town: Town) -> None:
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="As it was", notes="n" * 3_000)
    laptop.sync()
    old = _at_rest(laptop)
    laptop.edit(record, industry="As it is today")
    laptop.sync()
    waiting = laptop.add("task", subject="Unsent")
    new, kept = _at_rest(laptop), laptop.folder.with_name("kept")
    shutil.copytree(laptop.folder, kept)
    pages = [at for at in range(0, len(old), PAGE) if old[at : at + PAGE] != new[at : at + PAGE]]
    assert len(pages) > 10
    for at in pages:
        shutil.rmtree(laptop.folder)
        shutil.copytree(kept, laptop.folder)
        _put(laptop, new[:at] + old[at : at + PAGE] + new[at + PAGE :])
        laptop.json("doctor", "--repair")
        laptop.sync()
        assert laptop.json("doctor")["ok"] is True
        assert laptop.show(record)["industry"] == "As it is today"
        assert laptop.show(waiting)["subject"] == "Unsent"
