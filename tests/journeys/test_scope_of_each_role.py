"""What each role's laptop holds: its own and its team's, those below it, masks, or nothing."""

from __future__ import annotations

from pathlib import Path

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


def test_a_territory_that_is_taken_leaves_with_every_word(town: Town) -> None:
    """Ben sees the north alone; a customer that moves south leaves his laptop with its deal, and comes back with it."""
    mate, seller = town.laptop(ANNA), town.laptop(BEN)
    north = mate.add("customer", name="Okapi Traders", territory="North")
    deal = mate.add("deal", name="Zebrawood", customer=north)
    south = mate.add("customer", name="Dodo Mills", territory="South")
    mate.sync()
    seller.sync()
    assert south in seller.holds()
    town.admin("territory", "grant", BEN, "North")
    try:
        assert town.device(seller)["confirmed"] is False
        seller.sync()
        seller.sync()
        assert town.device(seller)["confirmed"] is True
        assert (north in seller.holds(), south in seller.holds(), deal in seller.holds("deal")) == (
            True,
            False,
            True,
        )
        assert seller.json("search", "dodo") == []
        mate.edit(north, territory="South")
        mate.sync()
        seller.sync()
        assert (seller.ask("show", north).code, seller.ask("show", deal).code) == (1, 1)
        assert seller.json("search", "okapi") == seller.json("search", "zebrawood") == []
        moved = town.admin("territory", "move", "South", "North")
        assert (moved["customers"], moved["records"], moved["people"]) == (2, 3, 0)
        seller.sync()
        assert {north, south} <= set(seller.holds())
        assert deal in seller.holds("deal")
        listed = {each["territory"]: each for each in town.admin("territory", "list")}
        assert (listed["North"]["customers"], listed["North"]["people"]) == (2, [BEN])
        (view,) = town.admin("holds", "--device", seller.id, "--kind", "customer")
        assert view["territories"] == ["North"]
        assert "own records alone" in town.ask("territory", "revoke", BEN, "North").out
        assert town.ask("territory", "revoke", BEN, "North").code == 1
        assert (
            town.ask("person", "add", BEN, "--role", "rep", "--team", "Sales/East", "--territory", " ").code
            == 1
        )
    finally:
        town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/East", "--whole-team")
    seller.sync()
    assert {north, south} <= set(seller.holds())


def test_a_hidden_field_is_not_there_and_not_empty(town: Town, tmp_path: Path) -> None:
    """Ben is granted less: what he may no longer see leaves his laptop, says that it is hidden, and IT sees it go."""
    mate, seller = town.laptop(ANNA), town.laptop(BEN)
    record = mate.add("customer", name="Platypus Works", tax_number="XQ90817263", industry="Tea")
    mate.sync()
    seller.sync()
    assert seller.show(record)["tax_number"] == "XQ90817263"
    assert seller.json("search", "XQ90817263") != []
    seller.edit(record, tax_number="XQ5544332211", industry="Rum")  # waits while the right is taken away
    town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/East", "--care", "confidential")
    try:
        assert town.device(seller)["confirmed"] is False
        assert "may hold what left" in town.ask("devices").out
        seller.sync()
        seller.sync()
        assert town.device(seller)["confirmed"] is True
        shown = seller.show(record)
        assert (shown["tax_number"], shown["hidden"], shown["industry"]) == (None, ["tax_number"], "Tea")
        assert "hidden on this device" in seller.ask("show", record).out
        assert seller.json("search", "XQ90817263") == seller.json("search", "XQ5544332211") == []
        for word in ("XQ90817263", "XQ5544332211"):
            assert word not in seller.ask("conflicts", "--json").out
        (kept,) = [each for each in town.admin("refused", seller.id) if each["record"] == record]
        assert kept["rule"] == "forbidden"
        refused = seller.ask("edit", record, "tax_number=XQ1")
        assert (refused.code, "hidden on this device" in refused.err) == (1, True)
        seller.json("export", "customer", str(tmp_path / "out.csv"))
        heading = (tmp_path / "out.csv").read_text("utf-8-sig").splitlines()[0]
        assert ("Industry" in heading, "Tax number" in heading) == (True, False)
        (tmp_path / "in.csv").write_text("Name,Industry,Tax number\nNumbat Mills,Tea,XQ7\n")
        report = seller.ask("import", str(tmp_path / "in.csv"))
        assert (report.code, "hidden on this device" in report.out) == (0, True)
        (view,) = [each for each in town.admin("holds", "--person", BEN, "--ids") if each["id"] == seller.id]
        (customers,) = [each for each in view["kinds"] if each["kind"] == "customer"]
        assert (view["care"], record in customers["ids"]) == ("confidential", True)
        assert "restricted" not in customers["classes"]
        assert "Platypus" not in town.ask("holds", "--device", seller.id, "--ids").out
    finally:
        town.admin("person", "add", BEN, "--role", "rep", "--team", "Sales/East", "--care", "restricted")
    seller.sync()
    assert seller.show(record)["tax_number"] == "XQ90817263"
    seller.edit(record, tax_number="XQ2")
    seller.sync()


def test_teams_become_one(town: Town, records: dict[str, str]) -> None:
    """Whoever comes into the team sees its customers, and the other way about."""

    def of_these(laptop: Laptop) -> set[str]:
        laptop.sync()
        return {records[record] for record in laptop.holds() if record in records}

    west, east = town.laptop(WEST), town.laptop(ANNA)
    assert (of_these(west), of_these(east)) == (WESTERN, EAST)
    try:
        moved = town.admin("team", "move", "Sales/West", "Sales/East")
        assert moved["people"] == 1
        assert of_these(west) == of_these(east) == EAST | WESTERN
        assert town.ask("team", "move", "Sales/West", "Sales/North").code == 1  # nobody is in it any more
    finally:
        town.admin("person", "add", WEST, "--role", "rep", "--team", "Sales/West")
    assert (of_these(west), of_these(east)) == (WESTERN, EAST)
