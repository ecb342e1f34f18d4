"""Time by the server's word and the time since boot, whatever is done to the wall clock."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.keys.trusted_time import Anchor, Reading, Sample, anchored, read, system_clock

HOUR = 3_600_000
DAY = 24 * HOUR
T0 = 1_800_000_000_000
NS = 1_000_000
HERE = Anchor(server_time=T0, boottime_ns=50 * HOUR * NS, boot_id="here", wall=T0 + 700)


def after(hours: float, *, wall: float | None = None, boot: str = "here", floor: int = T0) -> Reading:
    """A look at the clock `hours` after the anchor; the wall clock shows `wall` hours."""
    shown = T0 + int((hours if wall is None else wall) * HOUR)
    return read(HERE, floor, shown, HERE.boottime_ns + int(hours * HOUR) * NS, boot)


def test_in_the_anchors_boot_the_wall_clock_does_not_matter() -> None:
    for wall in (5.0, 5.05, 4.95, 28.0):
        assert after(5, wall=wall) == Reading(T0 + 5 * HOUR, T0 + 5 * HOUR, "", True)


def test_a_clock_put_back_while_running_is_found_and_changes_nothing() -> None:
    assert after(30, wall=6) == Reading(T0 + 30 * HOUR, T0 + 30 * HOUR, "clock_back", True)


def test_a_clock_put_back_by_just_what_has_passed_is_found() -> None:
    """The floor is raised first; against the old floor this would go unseen."""
    assert after(10, wall=0, floor=T0).anomaly == "clock_back"


def test_a_clock_put_back_across_a_boot_is_found_by_the_floor() -> None:
    floor = after(30).floor
    found = read(HERE, floor, T0 + 6 * HOUR, 60 * 10**9, "next")
    assert found == Reading(floor, floor, "clock_back", False)


def test_a_clock_put_forward_is_found_and_spoils_no_floor() -> None:
    ahead = after(1, wall=1 + 365 * 24)
    assert ahead == Reading(T0 + HOUR, T0 + HOUR, "clock_forward", True)
    assert after(2, wall=2, floor=ahead.floor) == Reading(T0 + 2 * HOUR, T0 + 2 * HOUR, "", True)


def test_forward_across_a_boot_counts_and_putting_it_right_does_not_undo_it() -> None:
    year = T0 + 365 * DAY
    ahead = read(HERE, T0, year, 60 * 10**9, "next")
    assert ahead == Reading(year, year, "", False)
    right = read(HERE, ahead.floor, T0 + HOUR, 90 * 10**9, "next")
    assert right == Reading(year, year, "clock_back", False)
    # The server's word puts it right: its time becomes the floor.
    contact = anchored(T0 + HOUR, Sample(T0 + HOUR, 95 * 10**9, "next"))
    assert read(contact, T0 + HOUR, T0 + HOUR, 95 * 10**9, "next") == Reading(T0 + HOUR, T0 + HOUR, "", True)


def test_sleep_counts() -> None:
    assert after(22 * 24).now == T0 + 22 * DAY


def test_a_weekend_switched_off_is_nothing_odd() -> None:
    assert read(HERE, T0, T0 + 3 * DAY, 60 * 10**9, "next") == Reading(T0 + 3 * DAY, T0 + 3 * DAY, "", False)


def test_five_minutes_are_forgiven() -> None:
    for behind, anomaly in ((300_000, ""), (300_001, "clock_back")):
        assert read(HERE, T0, T0 - behind, HERE.boottime_ns, "here").anomaly == anomaly
    for ahead, anomaly in ((DAY, ""), (DAY + 1, "clock_forward")):
        assert read(HERE, T0, T0 + ahead, HERE.boottime_ns, "here").anomaly == anomaly


def test_a_machine_set_back_to_an_earlier_moment_is_not_taken_for_the_same_run() -> None:
    found = read(HERE, T0 + DAY, T0 + 2 * DAY, HERE.boottime_ns - 1, "here")
    assert found == Reading(T0 + 2 * DAY, T0 + 2 * DAY, "", False)


def test_without_a_name_of_the_boot_only_the_wall_clock_is_left() -> None:
    unnamed = Anchor(server_time=T0, boottime_ns=0, boot_id="", wall=T0)
    assert not read(unnamed, T0, T0 + HOUR, HOUR * NS, "").sure
    assert read(None, 0, T0, 0, "here") == Reading(T0, T0, "", False)


@given(
    steps=st.lists(
        st.tuples(st.integers(0, 10 * DAY), st.integers(-400 * DAY, 400 * DAY), st.booleans()), max_size=12
    )
)
def test_time_and_floor_never_fall(steps: list[tuple[int, int, bool]]) -> None:
    """Whatever sleep, reboots and clock changes come, read by read with the floor that the last one gave."""
    floor, now, boot, since = T0, T0, 0, HERE.boottime_ns
    for passed, wall_error, reboot in steps:
        boot, since = (boot + 1, passed * NS) if reboot else (boot, since + passed * NS)
        found = read(HERE, floor, now + wall_error, since, "here" if boot == 0 else f"boot {boot}")
        assert found.floor >= floor
        assert found.now >= found.floor
        assert found.sure is (boot == 0)
        again = read(HERE, found.floor, now + wall_error, since, "here" if boot == 0 else f"boot {boot}")
        assert again.anomaly == found.anomaly or found.anomaly == ""
        floor, now = found.floor, found.now


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the clocks of Linux")
def test_the_clocks_of_this_system() -> None:
    one, other = system_clock(), system_clock()
    assert other.boottime_ns > one.boottime_ns
    assert one.boot_id == other.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    uptime_s = float(Path("/proc/uptime").read_text().split()[0])
    assert abs(one.boottime_ns / 1e9 - uptime_s) < 60
    assert abs(one.wall_ms - int(subprocess.check_output(["date", "+%s"])) * 1000) < 60_000
