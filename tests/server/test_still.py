"""Who has nothing to say but what they said last is answered in a few bytes, unless there is anything for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sync.protocol import messages
from sync.protocol.errors import Problem
from tests.server.driver import Device, Refusal, frames_of
from tests.server.inside import Inside


@pytest.fixture
def inside(tmp_path: Path) -> Inside:
    """An organisation with two people."""
    made = Inside(tmp_path)
    made.person("ana@example.com")
    made.person("bo@example.com")
    return made


@pytest.fixture
def ana(inside: Inside) -> Device:
    """A device that has everything."""
    return at_rest(inside.device("ana@example.com"))


def at_rest(device: Device) -> Device:
    """Exchange until neither side has anything to say."""
    device.sync()
    device.exchange()
    return device


def still(device: Device) -> tuple[int, int] | None:
    """What the server says to a device that says nothing."""
    status, body = device.send("POST", messages.STILL_PATH, b"", device.headers(b"", messages.STILL_PATH))
    if status != 200:
        frames_of(status, body)
    assert status == 200
    return messages.read_still(body)


def test_nothing_is_said_twice(inside: Inside, ana: Device) -> None:
    told = still(ana)
    assert told is not None
    assert told[0] == ana.cursor.seq
    assert abs(told[1] - inside.now()) < 60_000
    assert still(ana) is not None


def test_what_others_do_out_of_sight_moves_the_number_alone(inside: Inside, ana: Device) -> None:
    inside.person("cy@example.com", team="Elsewhere")
    other = inside.device("cy@example.com")
    before = still(ana)
    other.add("customer", name="Far away")
    other.sync()
    told = still(ana)
    assert told is not None and before is not None and told[0] > before[0]


def _changed(inside: Inside, _ana: Device) -> None:
    other = inside.device("bo@example.com")
    other.add("customer", name="New here")
    other.sync()


def _moved(inside: Inside, _ana: Device) -> None:
    inside.person("ana@example.com", team="Elsewhere")


def _locked(inside: Inside, ana: Device) -> None:
    inside.lock(ana)


@pytest.mark.parametrize("happens", [_changed, _moved, _locked], ids=lambda each: each.__name__)
def test_whatever_there_is_asks_for_an_exchange(
    inside: Inside, ana: Device, happens: Callable[[Inside, Device], None]
) -> None:
    assert still(ana) is not None
    happens(inside, ana)
    assert still(ana) is None
    assert still(ana) is None  # until it was told, by a whole exchange


def test_a_lease_of_which_half_is_over_asks_for_an_exchange(inside: Inside, ana: Device) -> None:
    life_ms = 504 * 3_600_000
    ana.exchange(lease_left_ms=life_ms // 2 + 60_000)
    assert still(ana) is not None
    inside.skew += 120_000
    assert still(ana) is None


def test_nothing_is_remembered_from_another_session(inside: Inside, ana: Device) -> None:
    assert still(ana) is not None
    ana.sign_in()
    assert still(ana) is None


def test_who_has_sent_something_is_not_at_rest(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="Mine")
    ana.sync()
    assert still(ana) is None


def test_a_session_that_ended_is_refused(inside: Inside, ana: Device) -> None:
    inside.service.sessions.drop(ana.enrolment)
    with pytest.raises(Refusal) as refusal:
        still(ana)
    assert refusal.value.trouble.problem is Problem.UNSIGNED
