"""A server restored from a backup gets what came after it back from the laptops: all of it, once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import forks
from tests.road import ANNA, BEN, WEST, Laptop, Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """An organisation of its own for each test: it is set back."""
    made = Town(tmp_path)
    made.settle()
    yield made
    made.server.stop()


def server_verb(town: Town, *words: str) -> None:
    done = forks.run(
        "sync.compose.server:main", [*words, "--data", str(town.data), "--secrets", str(town.secrets)]
    )
    assert done.code == 0, done.err


def back_up(town: Town, name: str = "backup") -> Path:
    server_verb(town, "backup", str(town.folder / name))
    return town.folder / name


def restore(town: Town, file: Path) -> None:
    assert town.server.stop() == 0
    server_verb(town, "restore", str(file), "--replace")
    town.server.start()


def said(held: dict[str, dict[str, object]]) -> dict[str, dict[str, object]]:
    """What records say, and not who wrote in them last."""
    return {id_: {k: v for k, v in each.items() if not k.startswith("changed")} for id_, each in held.items()}


def settled(*laptops: Laptop) -> dict[str, dict[str, object]]:
    """What all of them hold, once nothing travels any more."""
    for _round in range(3):
        for each in laptops:
            each.sync()
    held = laptops[0].holds()
    for each in laptops:
        assert each.holds() == held
        assert each.json("status")["unsent"] == 0
        assert each.json("conflicts") == []
    return said(held)


@pytest.mark.parametrize("first_back", ["anna", "ben"])
def test_a_days_work_comes_back_whoever_comes_first(town: Town, first_back: str) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    kept, doomed = anna.add("customer", name="Kept"), anna.add("customer", name="Doomed")
    settled(anna, ben)
    file = back_up(town)
    anna.edit(kept, industry="Tea", notes="one line")
    new = anna.add("customer", name="New")
    anna.sync()
    ben.sync()
    ben.edit(new, industry="Coffee")  # of a record that the backup does not know, and that another made
    ben.edit(kept, industry="Cocoa")  # he had seen tea
    ben.sync()
    anna.sync()
    anna.json("delete", doomed)
    before = settled(anna, ben)
    restore(town, file)
    order = (anna, ben) if first_back == "anna" else (ben, anna)
    assert settled(*order) == before
    assert before[kept]["industry"] == "Cocoa"
    assert before[new]["industry"] == "Coffee"
    assert before[kept]["notes"] == "one line"
    assert doomed not in before


def test_a_laptop_that_was_away_for_long_brings_its_own_last(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    first = anna.add("customer", name="First")
    settled(anna, ben)
    file = back_up(town)
    anna.edit(first, industry="Tea")
    anna.sync()
    ben.sync()
    ben.edit(first, source="Fair")
    ben.sync()
    waiting = ben.add("customer", name="Never sent")
    restore(town, file)
    anna.sync()
    new = anna.add("customer", name="In the new history")
    anna.sync()
    held = settled(ben, anna)
    assert set(held) == {first, waiting, new}
    assert (held[first]["industry"], held[first]["source"]) == ("Tea", "Fair")


def test_what_somebody_saw_by_a_right_that_went_with_the_server_leaves_them(town: Town) -> None:
    anna, west = town.laptop(ANNA), town.laptop(WEST)
    theirs = west.add("customer", name="Westwind")
    west.sync()
    mine = anna.add("customer", name="Northwind")
    anna.sync()
    file = back_up(town)
    town.admin("person", "add", WEST, "--role", "rep", "--team", "Sales/East")
    never = west.add("customer", name="Made after the backup")
    for each in (west, anna):
        each.sync()
    assert set(anna.holds()) == {mine, theirs, never}
    restore(town, file)
    anna.sync()
    # Nobody knows any more that she saw the one; the other she alone may have.
    assert set(anna.holds()) == {mine, never}
    west.sync()
    assert set(west.holds()) == {theirs, never}
    anna.sync()
    assert set(anna.holds()) == {mine}
    assert anna.json("status")["unsent"] == 0


@pytest.mark.parametrize(
    ("step", "nth"),
    [
        (2, 1),
        (4, 0),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in ((1, 1), (3, 0), (5, 0), (6, 0))),
    ],
)
def test_a_laptop_killed_while_it_sends_once_more_does_nothing_twice(town: Town, step: int, nth: int) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    kept = anna.add("customer", name="Kept")
    settled(anna, ben)
    file = back_up(town)
    anna.edit(kept, notes="one line")
    ben.sync()
    anna.sync()
    ben.sync()
    ben.edit(kept, notes="one line\nand another")
    before = settled(ben, anna)
    restore(town, file)
    assert anna.act("sync", step=step, nth=nth).code == -9
    assert anna.holds()[kept]["notes"] == "one line\nand another" or step > 3
    assert settled(anna, ben) == before


def test_an_older_backup_after_a_restore_is_another_history_again(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    first = anna.add("customer", name="First")
    settled(anna, ben)
    old = back_up(town, "old")
    anna.edit(first, industry="Tea")
    settled(anna, ben)
    young = back_up(town, "young")
    ben.edit(first, source="Fair")
    before = settled(anna, ben)
    restore(town, young)
    assert settled(anna, ben) == before
    ben.edit(first, notes="in between")
    before = settled(anna, ben)
    restore(town, old)
    assert settled(ben, anna) == before


def test_orders_of_after_the_backup_stay_obeyed_and_newer_ones_count(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    settled(anna, ben)
    file = back_up(town)
    town.order("lock", anna)
    anna.ask("sync")
    assert anna.state() == "locked"
    restore(town, file)
    anna.ask("sync")
    assert anna.state() == "locked"
    assert "orders" in town.log.read_text()
    town.order("unlock", anna)  # its number is higher than that of any order that the server has forgotten
    anna.ask("sync")
    anna.ask("sync")
    assert anna.state() == "active"


def test_a_wiped_laptop_hands_in_its_receipt_though_the_server_lost_the_order(town: Town) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    settled(anna, ben)
    file = back_up(town)
    anna.add("customer", name="Unsent")
    town.order("wipe", anna)
    # The wipe is begun, and the laptop dies before the receipt is with the server.
    assert anna.act("wipe", at=4).code == -9
    restore(town, file)
    assert town.device(anna)["state"] == "active"
    anna.ask("sync")
    found = town.device(anna)
    assert (found["state"], found["receipt"]) == ("wiped", "verified")


def test_a_lost_file_comes_back_from_whoever_has_it(town: Town, tmp_path: Path) -> None:
    anna, ben = town.laptop(ANNA), town.laptop(BEN)
    customer = anna.add("customer", name="Photographed")
    settled(anna, ben)
    file = back_up(town)
    source = tmp_path / "contract.pdf"
    source.write_bytes(bytes(range(256)) * 1_000)
    attachment = anna.json("attach", customer, str(source))["id"]
    assert anna.sync()["attachments"] == 1
    restore(town, file)
    assert anna.sync()["attachments"] == 1  # once more
    assert anna.json("status")["unsent_attachments"] == 0
    ben.sync()
    ben.json("save-attachment", attachment, str(tmp_path / "fetched.pdf"))
    assert (tmp_path / "fetched.pdf").read_bytes() == source.read_bytes()
