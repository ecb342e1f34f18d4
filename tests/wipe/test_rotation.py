"""Keys that are changed by processes killed at every step, and each pair: it opens, it locks, and it can be wiped.

Real SQLCipher, the real keyring, a real server. The laptop's process dies by SIGKILL; the next one carries on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import pytest

from app.services.card import Card
from tests.keyring_of_tests import device_entries
from tests.road import ANNA, Laptop, Town
from tests.wipe.test_every_crash import LEFT

STEPS = ("T1", "T2", "T2", "T3", "held", "T4", "T5", "T6", "T7", "T7")
AT = [pytest.param(n, id=f"{n}-{name}") for n, name in enumerate(STEPS)]
KEYS = ("ring", "share")
SOME = [
    pytest.param(n, id=f"{n}-{name}", marks=() if name in ("T3", "T5") else pytest.mark.slow)
    for n, name in enumerate(STEPS)
]


@dataclass
class Turning:
    """A laptop with work, sent and not sent, whose keys are being changed."""

    town: Town
    laptop: Laptop
    card: Card
    names: set[str] = field(default_factory=lambda: {"Sent long ago", "Not sent"})
    _seen: dict[str, str] = field(default_factory=dict)

    def go(self, at: int | None) -> bool:
        """One process that is killed at a step; False when it came to its end first."""
        answer = self.laptop.act("rotate", at=at)
        self._look()
        if answer.code == -9:
            return True
        assert answer.code == 0, answer.err
        return False

    def _look(self) -> None:
        """No key that was ever seen under a name was replaced by another one."""
        keys = {name: value for name, value in self.entries().items() if name.partition(".")[0] in KEYS}
        assert all(self._seen.get(name, value) == value for name, value in keys.items())
        self._seen |= keys

    def entries(self) -> dict[str, str]:
        """What the keyring holds."""
        return device_entries(self.card.device)

    def opens(self) -> None:
        """All work is there."""
        assert {each["name"] for each in self.laptop.json("list", "customer")} == self.names
        self._look()

    def end(self) -> None:
        """Go on to the end: the new keys alone are left, here and at the server."""
        assert not self.go(None)
        self.opens()
        assert {name for name in self.entries() if name.partition(".")[0] in KEYS} == {"ring.2", "share.2"}
        assert self.laptop.json("status")["state"] == "active"
        assert "store.hdr.next" not in self.laptop.files()

    def shares(self) -> set[str]:
        """The shares that the keyring holds."""
        return {name for name in self.entries() if name.startswith("share.")}


def turning(town: Town) -> Turning:
    """A laptop of its own."""
    laptop = town.laptop(ANNA)
    laptop.add("customer", name="Sent long ago")
    laptop.sync()
    laptop.add("customer", name="Not sent")
    made = Turning(town, laptop, laptop.card())
    made._look()
    return made


def test_the_steps_are_these(town: Town) -> None:
    made = turning(town)
    assert tuple(json.loads(made.laptop.act("rotate", at=None).out)) == STEPS
    made.end()


@pytest.mark.parametrize("at", AT)
def test_killed_at_each_step_it_opens_with_all_work_and_goes_on(town: Town, at: int) -> None:
    made = turning(town)
    assert made.go(at)
    made.opens()
    made.end()


@pytest.mark.parametrize("at", SOME)
def test_a_lock_by_order_at_each_step_takes_every_share(town: Town, at: int) -> None:
    made = turning(town)
    assert made.go(at)
    town.order("lock", made.laptop)
    assert made.laptop.ask("sync").code == 3
    assert made.shares() == set()
    assert made.laptop.ask("list", "customer").code == 3
    town.order("unlock", made.laptop)
    assert made.laptop.ask("sync").code == 0
    made._seen.clear()  # what the lock took was given up, and is made anew under the same epoch
    made.opens()
    made.end()


@pytest.mark.parametrize("at", SOME)
def test_a_wipe_at_each_step_destroys_the_keys_of_every_epoch(town: Town, at: int) -> None:
    made = turning(town)
    assert made.go(at)
    town.order("wipe", made.laptop)
    assert made.laptop.ask("sync").code == 4
    wiped(made)


def half_wiped(town: Town, at: int, entry: int) -> bool:
    """A wipe at this step of the rotation dies once so many entries are gone or about to go; False when it does not."""
    made = turning(town)
    assert made.go(at)
    town.order("wipe", made.laptop)
    answer = made.laptop.act("wipe_keys", at=entry)
    assert answer.code in (-9, 4), answer.err
    if answer.code == -9:
        assert made.laptop.ask("list", "customer").code == 4
        assert made.laptop.ask("sync").code == 4
    wiped(made)
    return answer.code == -9


@pytest.mark.parametrize("entry", [1, 3])
def test_a_wipe_that_is_killed_between_two_ring_keys_is_carried_on(town: Town, entry: int) -> None:
    """Half way through a rotation there are keys of two epochs: whichever went first, the rest goes."""
    assert half_wiped(town, STEPS.index("T3"), entry)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("at", AT[3:])
def test_a_wipe_that_is_killed_at_each_entry_is_carried_on(town: Town, at: int) -> None:
    entry = 0
    while half_wiped(town, at, entry):
        entry += 1
    assert entry >= 2 * 7


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("first", AT)
def test_killed_at_each_pair_of_steps(town: Town, first: int) -> None:
    for second in range(len(STEPS)):
        made = turning(town)
        assert made.go(first)
        went_on = made.go(second)
        made.opens()
        made.end()
        if not went_on:
            break


def wiped(made: Turning) -> None:
    """Nothing is left of it but the stone."""
    for _start in range(3):
        if made.laptop.files() == LEFT:
            break
        assert made.laptop.ask("sync").code == 4
    assert made.laptop.files() == LEFT
    assert made.entries() == {}
    seen = made.town.device(made.laptop)
    assert (seen["state"], seen["receipt"]) == ("wiped", "verified")
