"""A store held against its server: what differs is found and laid in anew, whoever the person is."""

from __future__ import annotations

from typing import Any

import pytest

from app.services.opening import open_session
from app.store.store import Store
from tests.road import ANNA, BEN, MANAGER, OFFICE, PRIVACY, WEST, Laptop, Town

NAME = "Records and the server"


def _said(laptop: Laptop, *words: str) -> Any:
    """What doctor says of the comparison."""
    done = laptop.ask("doctor", "--json", *words)
    (found,) = [each for each in done.json["checks"] if each["name"] == NAME]
    return found


def _harm(laptop: Laptop, *statements: tuple[str, tuple[object, ...]]) -> None:
    def harm(store: Store) -> None:
        for statement, values in statements:
            store.db.execute(statement, values)

    with open_session(laptop.profile) as session:
        session.call(harm)


def _id(text: str) -> bytes:
    return bytes.fromhex(text.replace("-", ""))


@pytest.fixture(scope="module")
def filled(town: Town) -> Laptop:
    """A laptop of the east, once records of every kind went to and fro in the town."""
    anna = town.laptop(ANNA)
    first = anna.add(
        "customer", name="Åre & 北京 GmbH", phones=["+46 8 1", {"label": "home", "value": "2"}],
        emails=["a@example.com"], address={"city": "Köln", "country": "DE"}, tags=["vip", "b"], employees=7,
        revenue={"minor": 500, "currency": "EUR"}, do_not_contact=True, notes="met\nhere",
    )  # fmt: skip
    contact = anna.add("contact", name="Cleo", customer=first)
    anna.add(
        "deal", name="Big", customer=first, amount={"minor": 5, "currency": "USD"}, close_on="2026-12-24"
    )
    anna.add("task", subject="Call", customer=first)
    anna.add(
        "activity", subject="Visit", customer=first, at={"at": 1_795_357_800_000, "zone": "Asia/Shanghai"}
    )
    anna.add("product", name="Tea")
    anna.sync()
    ben = town.laptop(BEN)
    ben.sync()
    ben.edit(first, name="Other", employees=9)
    anna.edit(first, name="Met", industry="Tea")
    ben.ask("delete", contact)
    for laptop in (ben, anna, ben):
        laptop.sync()
    anna.edit(first, owner=WEST)
    anna.add("customer", name="Stays")
    anna.sync()
    return anna


@pytest.mark.parametrize("person", [ANNA, BEN, WEST, OFFICE, MANAGER, PRIVACY])
def test_a_sound_device_agrees_whoever_it_belongs_to(town: Town, filled: Laptop, person: str) -> None:
    laptop = town.laptop(person)
    laptop.sync()
    found = _said(laptop)
    assert (found["ok"], found["found"]) == (True, "agree")


def test_devices_that_made_the_work_agree(filled: Laptop) -> None:
    filled.add("customer", name="Unsent")
    assert _said(filled)["found"] == "agree"
    filled.sync()
    assert _said(filled)["found"] == "agree"


def test_what_differs_is_found_and_made_what_the_server_has(town: Town, filled: Laptop) -> None:
    laptop = town.laptop(BEN)
    changed, lost, edited = (filled.add("customer", name=f"Sound {n}") for n in range(3))
    filled.sync()
    laptop.sync()
    sound = laptop.holds()
    laptop.edit(edited, industry="Unsent")
    stranger = bytes(range(16))
    _harm(
        laptop,
        ("UPDATE record_customer SET name = 'Rotten' WHERE _id = ?", (_id(changed),)),
        ("DELETE FROM record_customer WHERE _id = ?", (_id(lost),)),
        ("UPDATE base SET ver = ver + 1000 WHERE id = ?", (_id(edited),)),
        ("INSERT INTO record_customer (_id, _ver, name, _key) VALUES (?, 3, 'Stray', 'stray')", (stranger,)),
    )
    found = _said(laptop)
    assert (found["level"], found["found"][:41]) == ("fault", "4 records are not as the server has them."), (
        found
    )
    assert "fieldkeep" in found["found"]
    mended = laptop.ask("doctor", "--repair", "--json")
    assert (mended.code, mended.json["ok"]) == (0, True), mended.out
    sound[edited]["industry"] = "Unsent"
    assert {id_: each["name"] for id_, each in laptop.holds().items()} == {
        id_: each["name"] for id_, each in sound.items()
    }
    assert laptop.show(edited)["industry"] == "Unsent"
    assert laptop.json("status")["unsent"] == 1
    assert [each["id"] for each in laptop.json("search", "sound 1")] == [lost]
    laptop.sync()
    filled.sync()
    assert filled.show(edited)["industry"] == "Unsent"


def test_what_the_server_changed_meanwhile_is_no_fault(town: Town, filled: Laptop) -> None:
    laptop = town.laptop(BEN)
    laptop.sync()
    record = filled.add("customer", name="New since")
    filled.sync()
    filled.edit(record, owner=WEST)
    kept = next(iter(laptop.holds()))
    filled.edit(kept, industry="Changed since")
    filled.sync()
    assert _said(laptop)["found"] == "agree"
    filled.edit(kept, owner=WEST)
    filled.sync()
    assert _said(laptop)["found"] == "agree"
    laptop.sync()
    assert _said(laptop)["found"] == "agree"


def test_without_a_server_it_says_that_it_was_not_made(town: Town, filled: Laptop) -> None:
    town.server.stop()
    try:
        found = _said(filled, "--repair")
    finally:
        town.server.start()
    assert (found["level"], found["found"]) == (
        "warning", "not compared, since the server could not be reached",
    )  # fmt: skip


def test_before_its_first_exchange_a_device_is_told_to_make_it(town: Town) -> None:
    found = _said(town.laptop(ANNA))
    assert (found["level"], "sync" in found["found"]) == ("warning", True)


def test_work_that_only_this_device_has_is_not_taken_away(town: Town) -> None:
    """As a server put back from a backup has it no longer: the record stays, and doctor says so."""
    laptop = town.laptop(ANNA)
    record = laptop.add("customer", name="Mine alone")
    laptop.sync()
    other = bytes(16)
    _harm(
        laptop,
        ("UPDATE record_customer SET _id = ? WHERE _id = ?", (other, _id(record))),
        ("UPDATE op_archive SET id = ? WHERE id = ?", (other, _id(record))),
    )
    assert _said(laptop)["level"] == "fault"  # the record itself is missing
    found = _said(laptop, "--repair")
    assert (found["level"], found["found"][:14]) == ("warning", "1 record is he")
    assert sorted(each["name"] for each in laptop.holds().values()).count("Mine alone") == 2
