"""Exchanges that are cut off, on either side: nothing is lost, nothing comes twice."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from tests.road import ANNA, BEN, Laptop, Town

STEPS = range(1, 7)  # the numbered steps of sync/client/cycle.py


def _steps(quick: tuple[int, ...]) -> list[Any]:
    """Every step; all but the quick ones run among the slow tests."""
    return [pytest.param(n, marks=() if n in quick else pytest.mark.slow) for n in STEPS]


@pytest.fixture(scope="module")
def pair(town: Town) -> tuple[Laptop, Laptop]:
    """Two laptops of one team."""
    return town.laptop(ANNA), town.laptop(BEN)


def _same(first: Laptop, second: Laptop) -> dict[str, Any]:
    """Both hold the same, with nothing left to send."""
    first.sync()
    second.sync()
    first.sync()
    held = first.holds()
    assert second.holds() == held
    assert (first.json("status")["unsent"], second.json("status")["unsent"]) == (0, 0)
    return held


@pytest.mark.parametrize("step", _steps(quick=(3, 5)))
def test_killed_while_it_sends(pair: tuple[Laptop, Laptop], step: int) -> None:
    first, second = pair
    before = _same(first, second)
    made = [
        each["id"]
        for each in first.json("add", "customer", "-", stdin=[{"name": f"Sent {step} {n}"} for n in range(5)])
    ]
    first.edit(made[0], notes="one line")  # met twice, notes would stand twice
    assert first.act("sync", step=step, nth=0).code == -9
    assert set(first.holds()) == {*before, *made}
    held = _same(first, second)
    assert set(held) == {*before, *made}
    assert held[made[0]]["notes"] == "one line"
    assert first.json("conflicts") == second.json("conflicts") == []


@pytest.mark.parametrize("step", _steps(quick=(4,)))
def test_killed_while_it_fetches(pair: tuple[Laptop, Laptop], step: int) -> None:
    first, second = pair
    before = _same(first, second)
    made = first.add("customer", name=f"Fetched at {step}", industry="Before")
    first.sync()
    own = second.add("customer", name=f"Own at {step}")
    assert second.act("sync", step=step, nth=0).code == -9
    assert own in second.holds()
    held = _same(first, second)
    assert set(held) == {*before, made, own}
    gone = next(iter(held))
    first.json("delete", gone)
    first.sync()
    assert second.act("sync", step=step, nth=0).code == -9
    assert gone not in _same(first, second)


@pytest.mark.parametrize("step", ["applied", "committed"])
def test_the_server_is_killed_in_mid_exchange(town: Town, pair: tuple[Laptop, Laptop], step: str) -> None:
    first, second = pair
    before = _same(first, second)
    made = [
        each["id"]
        for each in first.json("add", "customer", "-", stdin=[{"name": f"Met {step} {n}"} for n in range(5)])
    ]
    town.server.stop()
    town.server.start(step=step)
    done = first.ask("sync")
    assert done.code == 5
    town.server.wait_dead()
    assert first.json("status")["unsent"] == 5
    town.server.start()
    held = _same(first, second)
    assert set(held) == {*before, *made}
    assert sorted(each["name"] for each in held.values() if each["id"] in made) == [
        f"Met {step} {n}" for n in range(5)
    ]


def test_a_restart_of_the_server_is_not_noticed(town: Town, pair: tuple[Laptop, Laptop]) -> None:
    first, second = pair
    record = first.add("customer", name="Across a restart")
    town.server.stop()
    town.server.start()
    assert record in _same(first, second)


def test_more_than_fits_in_one_exchange(pair: tuple[Laptop, Laptop]) -> None:
    first, second = pair
    made = first.json("add", "task", "-", stdin=[{"subject": f"Many {n:04}"} for n in range(1_300)])
    assert first.act("sync", step=5, nth=0).code == -9
    assert first.json("status")["unsent"] in (0, 300, 1_300)
    first.sync()
    assert first.json("status")["unsent"] == 0
    second.sync()
    assert {each["id"] for each in made} <= set(second.holds("task"))


def test_a_profile_copied_back_from_before_a_sync_loses_no_later_work(
    town: Town, pair: tuple[Laptop, Laptop]
) -> None:
    """The copy gives out numbers that the server has seen: what is written in it must not be taken for old."""
    _first, second = pair
    laptop = town.laptop(ANNA)
    early = laptop.add("customer", name="Before the copy")
    laptop.sync()
    kept = laptop.folder.with_name(laptop.name + "-copy")
    shutil.copytree(laptop.folder, kept)
    between = laptop.add("customer", name="After the copy")
    laptop.edit(early, industry="Sent after the copy")
    laptop.sync()
    shutil.rmtree(laptop.folder)
    kept.rename(laptop.folder)
    late = [laptop.add("customer", name=f"Written in the old copy {n}") for n in range(3)]
    laptop.edit(early, territory="Written in the old copy")
    said = laptop.sync()
    assert said["sent"] == 4
    held = _same(laptop, second)
    assert {early, between, *late} <= set(held)
    assert held[early]["industry"] == "Sent after the copy"
    assert held[early]["territory"] == "Written in the old copy"
    assert laptop.json("doctor")["ok"] is True


def test_what_the_server_refuses_stays_to_be_seen(town: Town) -> None:
    """Privacy officers change nothing; a change from before the device heard of its role is not lost without a word."""
    for role in ("privacy", "it"):
        person = f"turned.{role}@example.com"
        town.admin("person", "add", person, "--role", "rep", "--team", "Sales/East")
        laptop = town.laptop(person)
        record = laptop.add("customer", name="Not mine to make")
        town.admin("person", "add", person, "--role", role, "--team", "Sales/East")
        said = laptop.sync()
        assert (said["sent"], said["refused"], said["unsent"]) == (0, 1, 0)
        (refused,) = laptop.json("conflicts")
        assert (refused["state"], refused["record"], refused["code"]) == ("refused", record, "forbidden")
        assert refused["values"] is None  # its person may not hold that any more
        told = laptop.ask("conflicts").out
        assert "The record is not on this device." in told
        assert told.count("kept") + told.count("keeps") == 1, told
        assert "Your role may not change records." in told
        assert "any more" not in told
        assert refused["next"] == [f"fieldkeep --profile {laptop.folder} conflicts --dismiss {refused['id']}"]
        again = laptop.ask("conflicts", "--again", refused["id"])
        assert (again.code, again.err.splitlines()[0]) == (1, "Your role may not change customers.")
        assert laptop.json("status")["refused"] == 1
        assert laptop.sync()["refused"] == 0  # told once
        assert record not in town.laptops[0].holds()


def test_recovering_twice_brings_everything_once(town: Town) -> None:
    lost, heir = town.laptop(ANNA), town.laptop(ANNA)
    record = lost.add("customer", name="Shared before", notes="first line")
    lost.sync()
    heir.sync()
    lost.edit(record, notes="first line\nsecond line")
    made = lost.add("task", subject="Only on the lost one")
    lost.json("lock")
    town.order("wipe", lost)
    assert lost.ask("sync").code == 4
    told = [town.admin("recover", lost.id, "--to", heir.id) for _twice in range(2)]
    assert [each["handed_over"] for each in told] == [2, 0]
    assert heir.act("sync", step=5, nth=1).code == -9
    heir.sync()
    town.admin("recover", lost.id, "--to", heir.id)
    assert heir.sync()["recovered"] == 0
    assert heir.show(made)["subject"] == "Only on the lost one"
    assert heir.show(record)["notes"].count("second line") == 1
    assert heir.json("status")["unsent"] == 0
