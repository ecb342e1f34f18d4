"""What each role's laptop holds: its own and its team's, those below it, masks, or nothing."""

from __future__ import annotations

import pytest

from tests.road import ANNA, BEN, IT, MANAGER, OFFICE, PRIVACY, WEST, Laptop, Town

EAST, WESTERN = {"Anna's", "Ben's"}, {"West's"}


@pytest.fixture(scope="module")
def records(town: Town) -> dict[str, str]:
    """A customer of each of three reps in two teams, and a product of everybody; name by id."""
    made = {}
    for person, name in ((ANNA, "Anna's"), (BEN, "Ben's"), (WEST, "West's")):
        laptop = town.laptop(person)
        record = laptop.add(
            "customer", name=name, industry="Tea", tax_number="DE123456", notes="Likes it strong",
            phones=[{"label": "work", "value": "+49 30 5550133"}], address={"city": "Hamburg", "country": "DE"},
        )  # fmt: skip
        made[record] = name
        laptop.add("contact", name=f"Contact of {name}", customer=record)
        if person == ANNA:
            laptop.add("product", name="Everybody's")
        laptop.sync()
    return made


def _held(laptop: Laptop, records: dict[str, str]) -> set[str]:
    laptop.sync()
    return {records[record] for record in laptop.holds()}


@pytest.mark.parametrize(
    ("person", "held"),
    [(ANNA, EAST), (WEST, WESTERN), (OFFICE, EAST), (MANAGER, EAST | WESTERN), (IT, set())],
    ids=["rep", "rep of another team", "office", "manager", "it"],
)
def test_what_a_laptop_holds(town: Town, records: dict[str, str], person: str, held: set[str]) -> None:
    laptop = town.laptop(person)
    assert _held(laptop, records) == held
    contacts = {each["name"] for each in laptop.holds("contact").values()}
    assert contacts == {f"Contact of {name}" for name in held}
    assert len(laptop.holds("product")) == (0 if person == IT else 1)
    if held:
        assert {each["tax_number"] for each in laptop.holds().values()} == {"DE123456"}
    for name in {"Anna's", "Ben's", "West's"} - held:
        assert laptop.json("search", name) == []


def test_privacy_sees_that_there_are_records_and_not_of_whom(town: Town, records: dict[str, str]) -> None:
    laptop = town.laptop(PRIVACY)
    laptop.sync()
    held = laptop.holds()
    assert set(held) == set(records)
    for each in held.values():
        assert each["industry"] == "Tea"
        assert each["name"] == "•••"
        assert each["address"] == {"country": "DE"}
        assert [phone["value"] for phone in each["phones"]] == ["•••"]
        assert each["tax_number"] is None
        assert "strong" not in (each["notes"] or "")
        assert each["changed_by"] == ""
    said = laptop.ask("list", "customer").out + laptop.ask("list", "contact").out
    for word in ("Anna's", "Ben's", "West's", "5550133", "DE123456", "Hamburg"):
        assert word not in said


def test_who_changes_teams_takes_nothing_along(town: Town) -> None:
    """Anna goes to another team: what she may no longer see leaves her laptop, words and all."""
    mover, mate = town.laptop(ANNA), town.laptop(BEN)
    record = mate.add("customer", name="Xylophone Makers", notes="Quetzalcoatlus")
    mate.sync()
    mover.sync()
    own = mover.add("customer", name="Own of the mover")
    mover.sync()
    assert record in mover.holds()
    town.admin("person", "add", ANNA, "--role", "rep", "--team", "Sales/West")
    try:
        mover.sync()
        held = mover.holds()
        assert record not in held
        assert own in held
        assert mover.json("search", "xylophone") == mover.json("search", "quetzal") == []
        assert mover.ask("show", record).code == 1
    finally:
        town.admin("person", "add", ANNA, "--role", "rep", "--team", "Sales/East")
    mover.sync()
    assert record in mover.holds()
