"""When to exchange: pure arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.client.pace import BACKOFF_FIRST_S, BACKOFF_LAST_S, LONGEST_WAIT_S, POKED_S, SETTLE_S, Pace
from tests.protocol.strategies import tries

IDLE = Pace(last_exchange=100.0, asked=False)


def test_the_first_exchange_is_due_at_once() -> None:
    assert Pace(last_exchange=100.0).due() <= 100.0


def test_with_nothing_to_send_an_exchange_comes_once_a_minute() -> None:
    assert IDLE.due() == 100.0 + LONGEST_WAIT_S


def test_an_edit_goes_out_when_typing_settles() -> None:
    assert IDLE.edited(110.0).due() == 110.0 + SETTLE_S
    assert IDLE.edited(110.0).edited(110.5).due() == 110.5 + SETTLE_S


def test_one_who_never_stops_typing_is_sent_within_a_minute() -> None:
    pace = Pace(last_exchange=1_000.0, asked=False)
    now = 1_000.0
    while pace.due() > now:
        now += 0.5
        pace = pace.edited(now)
        assert now <= 1_000.5 + LONGEST_WAIT_S
    assert now > 1_050.0


def test_a_person_who_asks_does_not_wait() -> None:
    failed = IDLE.failed(100.0, 0.9)
    assert IDLE.wanted().due() == 0.0
    assert failed.due() > 100.0
    assert failed.wanted().due() == 0.0


def test_after_success_everything_begins_anew() -> None:
    pace = IDLE.edited(110.0).failed(111.0, 0.5).wanted().succeeded(120.0)
    assert pace == Pace(last_exchange=120.0, asked=False)


def test_waiting_grows_while_it_fails_and_is_bounded() -> None:
    pace, waits = IDLE, []
    for _ in range(40):
        pace = pace.failed(0.0, 0.999)
        waits.append(pace.due())
    assert waits == sorted(waits)
    assert waits[0] < 2 * BACKOFF_FIRST_S
    assert waits[3] > 4 * waits[0]
    assert BACKOFF_LAST_S * 0.9 < waits[-1] <= BACKOFF_LAST_S + BACKOFF_FIRST_S


def test_devices_that_failed_together_come_back_apart() -> None:
    pace = IDLE
    for _ in range(9):
        pace = pace.failed(0.0, 0.0)
    waits = [pace.failed(0.0, luck / 10).due() for luck in range(10)]
    assert len(set(waits)) == 10
    assert min(waits) >= BACKOFF_FIRST_S / 2
    assert max(waits) - min(waits) > BACKOFF_LAST_S / 2


def test_an_edit_does_not_cut_a_wait_short() -> None:
    failed = IDLE.failed(100.0, 0.5)
    assert failed.edited(100.1).due() == failed.due()


def test_the_servers_word_on_when_to_come_is_heeded_within_reason() -> None:
    assert IDLE.failed(100.0, 0.0, retry_after=30.0).due() == 130.0
    assert IDLE.failed(100.0, 0.0, retry_after=1e9).due() == 100.0 + BACKOFF_LAST_S
    assert IDLE.failed(100.0, 0.0, retry_after=-5.0).due() == 100.0 + BACKOFF_FIRST_S / 2


@tries(150)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["edited", "wanted", "succeeded", "failed"]),
            st.floats(0, 30),
            st.floats(0, 0.999),
        ),
        max_size=20,
    )
)
def test_an_exchange_is_always_due_in_the_end(steps: list[tuple[str, float, float]]) -> None:
    """Whatever happened, orders must still arrive: nothing puts the next exchange off for ever."""
    now, pace = 1_000.0, Pace(last_exchange=1_000.0)
    for what, passed, luck in steps:
        now += passed
        if what == "wanted":
            pace = pace.wanted()
        elif what == "failed":
            pace = pace.failed(now, luck, retry_after=luck * 1e6)
        else:
            pace = pace.edited(now) if what == "edited" else pace.succeeded(now)
        assert pace.due() <= now + BACKOFF_LAST_S + BACKOFF_FIRST_S


@pytest.mark.parametrize("failures", [16, 100, 10_000])
def test_a_month_of_failures_overflows_nothing(failures: int) -> None:
    pace = IDLE
    for _ in range(failures):
        pace = pace.failed(0.0, 0.5)
    assert pace.due() <= BACKOFF_LAST_S


def test_a_poke_is_followed_soon_and_not_again_by_what_it_brings() -> None:
    poked = IDLE.told()
    assert poked.due() == IDLE.last_exchange + POKED_S
    assert poked.succeeded(200.0).due() == 200.0 + LONGEST_WAIT_S


def test_a_poke_does_not_hurry_what_fails() -> None:
    failed = IDLE.failed(100.0, 0.9)
    assert failed.told().due() == failed.retry_at
    assert failed.told().failures == 1


def test_a_server_that_answers_is_asked_again_unless_it_said_when() -> None:
    failed = IDLE.failed(100.0, 0.9)
    assert failed.reached().due() == 0.0
    assert failed.reached().failures == 1
    busy = IDLE.failed(100.0, 0.9, retry_after=30.0)
    assert busy.reached().due() == busy.retry_at == 130.0


def test_a_lost_line_has_it_look_within_seconds_and_devices_come_apart() -> None:
    steady = Pace(last_exchange=100.0, asked=False)
    first, last = (steady.lost(110.0, luck).due() for luck in (0.0, 0.999))
    assert 111.0 <= first < last < 115.0
    assert last - first > 3.0
    again = steady.lost(110.0, 0.5)
    assert again.lost(111.0, 0.9).due() == again.due()  # the earlier one stays
    assert again.succeeded(112.0).due() == 172.0
    failing = again.failed(112.0, 0.0)
    assert failing.lost(113.0, 0.0).due() == failing.retry_at  # it hurries nothing that fails


def test_on_another_network_failures_begin_anew() -> None:
    failed = IDLE.failed(100.0, 0.9).failed(101.0, 0.9)
    assert (failed.returned().due(), failed.returned().failures) == (0.0, 0)
