"""A wipe of a laptop that was cut off in the midst of something else: joining, a change of its file, tidying."""

from __future__ import annotations

import json

import pytest

from tests.keyring_of_tests import all_entries
from tests.road import ANNA, Laptop, Town
from tests.wipe.test_every_crash import LEFT, Doomed, recover, sealed_records, wanted, write

STEPS = 10  # durable steps of changing an older file, and of tidying what is sealed


def _half_sent(town: Town) -> Laptop:
    """A laptop whose sealed outbox holds what is sent and what is not, in a file of a version before."""
    laptop = town.laptop(ANNA)
    write(laptop, 5)
    laptop.sync()
    write(laptop, 3)
    laptop.act("tests.wipe.midst:make_older")
    return laptop


def test_changing_an_older_file_and_tidying_has_so_many_steps(town: Town) -> None:
    seen = json.loads(_half_sent(town).act("tests.wipe.midst:work_on_store", at=None).out)
    assert len(seen) == STEPS, seen
    assert {"before _copy", "before build", "before keep", "after replace"} <= set(seen)


@pytest.mark.parametrize(
    "at", [pytest.param(n, marks=() if n in (1, 4, 7) else pytest.mark.slow) for n in range(STEPS)]
)
def test_killed_in_a_change_of_its_file_or_while_tidying_it_is_wiped_with_its_work(
    town: Town, at: int
) -> None:
    laptop = _half_sent(town)
    assert laptop.act("tests.wipe.midst:work_on_store", at=at).code == -9
    sealed = sealed_records(laptop)
    laptop.json("lock")  # so that the exchange that brings the order opens no store, and mends nothing
    town.order("wipe", laptop)
    assert sealed_records(laptop) == sealed
    lost = Doomed(town, laptop, laptop.card(), sealed)
    assert laptop.ask("sync").code == 4
    lost.end()
    assert set(wanted(lost)) <= set(recover(town, lost, town.laptop(ANNA)))


@pytest.mark.parametrize(
    "at", [pytest.param(n, marks=() if n % 5 == 2 else pytest.mark.slow) for n in range(17, 32)]
)
def test_a_laptop_cut_off_while_it_joins_is_wiped_as_soon_as_it_is_in(town: Town, at: int) -> None:
    """IT sees it as soon as the server has let it in; whoever goes on with its enrolment gets no store to keep."""
    laptop = town.laptop()
    code, before = town.code(ANNA), all_entries()
    assert laptop.act("enrol", at=at, code=code, name=laptop.name).code == -9
    (laptop.id,) = [each["id"] for each in town.admin("devices") if each["name"] == laptop.name]
    town.order("wipe", laptop)
    for _again in range(3):
        if not laptop.profile.device.exists() and not laptop.profile.tombstone.exists():
            laptop.ask("enrol", "--name", laptop.name, stdin=code)
        laptop.ask("sync")
    assert laptop.ask("list", "customer").code == 4
    assert laptop.files() == LEFT
    assert all_entries() == before
    assert town.device(laptop)["receipt"] == "verified"
