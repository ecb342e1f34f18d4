"""Killed at every step, the keys room opens, or tells the truth, when it starts again; and never trades keys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import KeyMissing, Locked, NotEnrolled, StoreDamaged
from app.keys import header, vault
from app.keys.secret import SecretBytes
from app.keys.state import State, StateFile
from tests.keys.conftest import Laptop, new_laptop
from tests.keys.dying import NEW_PIN, OLD_PIN, killed

pytestmark = pytest.mark.slow  # a process of its own for every step

STEPS_MAX = 200


def steps(act: str, laptop: Laptop) -> Iterator[int]:
    """Kill the act at step 0, 1, 2, …; gives each step while it dies, and once more when it came to its end."""
    for step in range(STEPS_MAX):
        died = killed(act, laptop.profile.folder, laptop.org, laptop.device, step)
        yield step
        if not died:
            assert step > 0
            return
    raise AssertionError("it never came to its end")


def made(laptop: Laptop, *, pin: bytes | None = None) -> tuple[bytes, bytes]:
    secret = SecretBytes(pin) if pin is not None else None
    key, share = vault.create(laptop.profile, laptop.ring, org=laptop.org, device=laptop.device, pin=secret)
    return bytes(key.view), bytes(share.view)


def opens(laptop: Laptop, pin: bytes | None = None) -> bytes:
    secret = SecretBytes(pin) if pin is not None else None
    with vault.open_key(laptop.profile, laptop.ring, pin=secret) as key:
        return bytes(key.view)


def test_create(tmp_path: Path) -> None:
    """Either there is a store that opens, or there is none and one can be made; no key is ever replaced."""
    outcomes = set()
    for step in range(STEPS_MAX):
        laptop = new_laptop(tmp_path / str(step))
        died = killed("create", laptop.profile.folder, laptop.org, laptop.device, step)
        left = laptop.entries()
        try:
            key = opens(laptop)
            outcomes.add("made")
        except NotEnrolled:
            outcomes.add(f"not made, {len(left)} keys left")
            key, _share = made(laptop)
        assert laptop.entries().items() >= left.items()
        assert opens(laptop) == key
        assert all(each.verified_absent for each in vault.destroy(laptop.profile, laptop.ring))
        assert laptop.entries() == {}
        if not died:
            break
    assert outcomes == {"not made, 0 keys left", "not made, 1 keys left", "not made, 2 keys left", "made"}


def test_change_pin(laptop: Laptop) -> None:
    key, _share = made(laptop, pin=OLD_PIN)
    header = laptop.profile.header.read_bytes()
    outcomes = set()
    for _step in steps("change_pin", laptop):
        try:
            assert opens(laptop, OLD_PIN) == key
            outcomes.add("old")
        except Locked:
            assert opens(laptop, NEW_PIN) == key
            outcomes.add("new")
        laptop.profile.header.write_bytes(header)
    assert outcomes == {"old", "new"}


def test_drop_and_restore_share(laptop: Laptop) -> None:
    key, share = made(laptop)
    (laptop.profile.folder.parent / "share").write_bytes(share)
    outcomes = set()
    for _step in steps("drop_share", laptop):
        outcomes.add(_locked_or_opens(laptop, key))
        vault.restore_share(laptop.profile, laptop.ring, share)
        assert opens(laptop) == key
    for _step in steps("restore_share", laptop):
        outcomes.add(_locked_or_opens(laptop, key))
        assert vault.drop_share(laptop.profile, laptop.ring)
    assert outcomes == {"locked", "opens"}


def _locked_or_opens(laptop: Laptop, key: bytes) -> str:
    try:
        assert opens(laptop) == key
    except Locked as error:
        assert error.by_order
        return "locked"
    return "opens"


def test_destroy(tmp_path: Path) -> None:
    """The ring key goes first: once any key is gone the store does not open, and a second run ends it."""
    outcomes = set()
    for step in range(STEPS_MAX):
        laptop = new_laptop(tmp_path / str(step))
        key, _share = made(laptop)
        for name in ("dev", "enc", "hw"):
            laptop.ring.set(name, "ab" * 32)
        died = killed("destroy", laptop.profile.folder, laptop.org, laptop.device, step)
        left = set(laptop.entries())
        try:
            assert opens(laptop) == key
            assert left == {"ring.1", "share.1", "dev", "enc", "hw"}
            outcomes.add("opens")
        except KeyMissing:
            assert "ring.1" not in left
            outcomes.add("keys gone")
        except (StoreDamaged, NotEnrolled) as error:
            assert left == {"dev"}
            outcomes.add("header overwritten" if isinstance(error, StoreDamaged) else "header gone")
        assert all(each.verified_absent for each in vault.destroy(laptop.profile, laptop.ring))
        vault.shred_header(laptop.profile)
        assert set(laptop.entries()) == {"dev"}
        assert laptop.files() == {}
        laptop.ring.delete("dev")
        if not died:
            break
    assert outcomes == {"opens", "keys gone", "header overwritten", "header gone"}


def test_save(laptop: Laptop) -> None:
    """The state is the old one or the new one, whole; the policy's number never falls."""
    made(laptop)
    state = State(org=laptop.org, device=laptop.device, enrolment="e", epoch=1, incarnation="00" * 8)
    with StateFile(laptop.profile, laptop.ring) as file:
        file.create(state)
    outcomes = set()
    tries, number = 0, 0
    for _step in steps("save", laptop):
        with StateFile(laptop.profile, laptop.ring) as file:
            found = file.load()
        assert found.pin_fail in (tries, tries + 1)
        assert found.floors.policy.number in (number, tries + 1)
        assert found.floors.policy.number >= max(number, found.pin_fail)
        outcomes.add((found.pin_fail - tries, found.floors.policy.number - tries))
        tries, number = found.pin_fail, found.floors.policy.number
    assert outcomes == {(0, 0), (0, 1), (1, 1)}


@pytest.mark.timeout(900)
def test_turn(tmp_path: Path) -> None:
    """Killed before and after each durable call: the store opens, the state is proven, no key takes another's place,
    and a second run, killed again somewhere, ends with the new keys alone."""
    outcomes = set()
    for step in range(STEPS_MAX):
        laptop = new_laptop(tmp_path / str(step))
        key, _share = made(laptop)
        state = State(org=laptop.org, device=laptop.device, enrolment="e", epoch=1, incarnation="00" * 8)
        with StateFile(laptop.profile, laptop.ring) as file:
            file.create(state)
        known: dict[str, str] = {}
        died = killed("turn", laptop.profile.folder, laptop.org, laptop.device, step)
        outcomes.add(_turned(laptop, key, known))
        killed("turn", laptop.profile.folder, laptop.org, laptop.device, step * 7 % 23)
        _turned(laptop, key, known)
        assert not killed("turn", laptop.profile.folder, laptop.org, laptop.device, STEPS_MAX)
        assert _turned(laptop, key, known) == (2, ("ring.2", "share.2"))
        assert all(each.verified_absent for each in vault.destroy(laptop.profile, laptop.ring))
        assert {"ring", "share"}.isdisjoint(name.partition(".")[0] for name in laptop.entries())
        if not died:
            break
    both = ("ring.1", "ring.2", "share.1", "share.2")
    assert {(1, ("ring.1", "share.1")), (1, both), (2, both), (2, ("ring.2", "share.2"))} <= outcomes


def _turned(laptop: Laptop, key: bytes, known: dict[str, str]) -> tuple[int, tuple[str, ...]]:
    """The epoch in force and the keys that are there; what must hold meanwhile."""
    keys = {n: v for n, v in laptop.entries().items() if n.partition(".")[0] in ("ring", "share")}
    assert all(known.get(name, value) == value for name, value in keys.items())
    known |= keys
    assert opens(laptop) == key
    with StateFile(laptop.profile, laptop.ring) as file:
        file.load()
    return header.read(laptop.profile).epoch, tuple(sorted(keys))


@pytest.mark.parametrize("act", ["no such act"])
def test_an_act_that_fails_is_not_taken_for_one_that_ended(laptop: Laptop, act: str) -> None:
    with pytest.raises(AssertionError, match="ended with 1"):
        killed(act, laptop.profile.folder, laptop.org, laptop.device, 0)
