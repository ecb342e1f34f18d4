"""The hybrid clock rises whatever the wall clock does, and a skewed one is made harmless."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sync.protocol import clock
from tests.protocol.strategies import tries

NOW = 1_795_357_800_000
TICK = 1 << clock.COUNTER_BITS


def test_a_stamp_tells_its_millisecond() -> None:
    assert clock.stamp(0, NOW) == NOW * TICK
    assert clock.millis(clock.stamp(0, NOW)) == NOW


def test_edits_of_one_millisecond_are_counted() -> None:
    first = clock.stamp(0, NOW)
    assert clock.stamp(first, NOW) == first + 1


def test_more_edits_than_the_counter_holds_borrow_from_the_next_millisecond() -> None:
    stamp = clock.stamp(0, NOW)
    for _ in range(70_000):
        after = clock.stamp(stamp, NOW)
        assert after > stamp
        stamp = after
    assert clock.millis(stamp) == NOW + 1


def test_a_clock_set_back_does_not_lower_the_stamp() -> None:
    late = clock.stamp(0, NOW)
    assert clock.stamp(late, NOW - 10 * 365 * 86_400_000) == late + 1


def test_a_foreign_stamp_is_followed() -> None:
    mine, foreign = clock.stamp(0, NOW), clock.stamp(0, NOW + 5_000)
    assert clock.observe(mine, foreign, NOW) == foreign
    assert clock.observe(foreign, mine, NOW) == foreign


def test_a_foreign_stamp_from_the_far_future_is_not_followed() -> None:
    mine = clock.stamp(0, NOW)
    assert clock.observe(mine, clock.stamp(0, NOW + clock.MAX_AHEAD_MS + 1), NOW) == mine


def test_a_stamp_from_the_future_is_clamped_and_told() -> None:
    just = clock.stamp(0, NOW + clock.MAX_AHEAD_MS)
    assert clock.clamp(just, NOW) == (just, False)
    assert clock.clamp(just + TICK, NOW) == (NOW * TICK, True)
    assert clock.clamp(2**63 - 1, NOW) == (NOW * TICK, True)


def test_a_stamp_from_the_past_stays_and_a_negative_one_is_nought() -> None:
    assert clock.clamp(1, NOW) == (1, False)
    assert clock.clamp(-5, NOW) == (0, False)


@tries(100)
@given(st.lists(st.tuples(st.integers(0, 2**46), st.integers(0, 2**62)), max_size=30))
def test_stamps_rise_whatever_clocks_say(times: list[tuple[int, int]]) -> None:
    last = 0
    for now_ms, foreign in times:
        seen = clock.observe(last, foreign, now_ms)
        assert seen >= last
        made = clock.stamp(seen, now_ms)
        assert made > last
        last = made
