"""What the server said of the time is written down where a crash must not take it, and not at each contact."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from app.keys.state import State
from app.keys.trusted_time import Anchor
from app.services.memory import FLOOR_STEP_MS, TURNED_MS, Memory

T0 = 1_800_000_000_000
ANCHOR = Anchor(server_time=T0, boottime_ns=10**12, boot_id="this boot", wall=T0)
STATE = State(
    org="o", device="d", enrolment="e", epoch=1, incarnation="i", t_floor=T0, anchor=ANCHOR, last_contact=T0
)


class Kept:
    """A file that notes what is written to it."""

    def __init__(self) -> None:
        self.saved: list[State] = []
        self.closed = False

    def save(self, state: State) -> None:
        self.saved.append(state)

    def vouch(self, data: bytes) -> str:
        raise AssertionError(data)

    @property
    def epoch(self) -> int:
        return 1

    def both(self, epoch: int) -> None:
        raise AssertionError(epoch)

    def turned(self) -> None:
        raise AssertionError

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def kept() -> Kept:
    """The file."""
    return Kept()


@pytest.fixture
def memory(kept: Kept) -> Memory:
    """What stands in it."""
    return Memory(kept, STATE)


def met(after_ms: int, *, wall_ms: int | None = None, boot: str = "this boot") -> Callable[[State], State]:
    """Contact so long after the last one that is kept, by the server's clock and by this device's."""
    now = T0 + after_ms
    wall = now if wall_ms is None else T0 + wall_ms
    anchor = Anchor(server_time=now, boottime_ns=10**12 + after_ms * 10**6, boot_id=boot, wall=wall)
    return lambda state: msgspec.structs.replace(state, anchor=anchor, t_floor=now, last_contact=now)


def test_contact_within_a_minute_is_remembered_and_not_written(kept: Kept, memory: Memory) -> None:
    memory.note(met(5_000))
    memory.note(met(59_000))
    assert kept.saved == []
    assert memory.state.last_contact == T0 + 59_000


@pytest.mark.parametrize(
    "change",
    [
        met(FLOOR_STEP_MS),
        met(-1),
        met(5_000, boot="another boot"),
        met(5_000, boot=""),
        met(5_000, wall_ms=5_000 + TURNED_MS),
        lambda state: msgspec.structs.replace(met(5_000)(state), stage="lock_ui"),
    ],
    ids=["a minute", "an earlier time", "another boot", "no boot known", "a clock turned", "something else"],
)
def test_what_the_next_start_judges_by_is_written_at_once(
    kept: Kept, memory: Memory, change: Callable[[State], State]
) -> None:
    memory.note(change)
    assert kept.saved == [memory.state]


def test_it_goes_with_the_next_change_and_with_the_end_of_the_session(kept: Kept, memory: Memory) -> None:
    memory.note(met(5_000))
    memory.set(unsent=3)
    assert kept.saved[-1].last_contact == T0 + 5_000
    memory.note(met(7_000))
    memory.close()
    assert kept.saved[-1].last_contact == T0 + 7_000
    assert kept.closed


def test_a_minute_counts_from_what_is_written(kept: Kept, memory: Memory) -> None:
    for second in range(1, 125):
        memory.note(met(second * 1_000))
    assert [state.last_contact - T0 for state in kept.saved] == [60_000, 120_000]


def test_a_wiped_device_writes_nothing_any_more(kept: Kept, memory: Memory) -> None:
    memory.note(met(5_000))
    memory.forget()
    memory.note(met(FLOOR_STEP_MS))
    memory.set(unsent=3)
    memory.close()
    assert (kept.saved, kept.closed) == ([], True)
