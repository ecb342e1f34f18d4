"""Time that setting the clock does not change: the server's word, the time since boot, and a floor.

The rules, in this order:

1.  In the boot in which the server last gave the time, now is that time and what has passed since, sleep included.
2.  In another boot there is only the wall clock; it is believed forwards, never below the floor.
3.  The floor is raised first and the anomalies are judged against the raised floor; otherwise a clock that is put
    back by just what has passed would go unseen.
4.  The wall clock 5 minutes below the floor is `clock_back`; a day ahead of the server's time is `clock_forward`.
5.  A clock that was wrong already when the server last gave the time is read as that much wrong: it is no sign
    that somebody has turned it since.

Only the server's signed word lowers a floor that a wrong clock has raised (`Anchor` made anew by `anchored`).

What must rest on no clock that anybody can set rests on the witness: how long this machine has run since the server was
last met, sleep included, by the clock since boot alone, over as many boots as there were (`witnessed`).
All times are UTC milliseconds unless their name says otherwise.
"""

from __future__ import annotations

import functools
import sys
import time
from pathlib import Path
from typing import Final

import msgspec

BACK_MS: Final = 300_000
FORWARD_MS: Final = 86_400_000
CLOCK_BACK: Final = "clock_back"
CLOCK_FORWARD: Final = "clock_forward"


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The server's time in a verified lease, and where this device's clocks stood then."""

    server_time: int
    boottime_ns: int
    boot_id: str
    wall: int


class Sample(msgspec.Struct, frozen=True):
    """One look at the clocks: wall clock, nanoseconds since boot with sleep counted, and which boot it is."""

    wall_ms: int
    boottime_ns: int
    boot_id: str  # empty where the system does not say: then no two samples are of one boot


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """How long this machine ran since the contact at `since`, as counted by the clocks of boots, and up to where."""

    since: int
    counted_ms: int
    boottime_ns: int
    boot_id: str


class Reading(msgspec.Struct, frozen=True):
    """The time to act on, the floor to keep, what is odd, and whether the server's time stands behind `now`.

    Without `sure`, `now` comes from the wall clock alone: enough to lock by, not enough to wipe by.
    """

    now: int
    floor: int
    anomaly: str = ""  # "" | "clock_back" | "clock_forward"
    sure: bool = False


def read(anchor: Anchor | None, t_floor: int, wall_ms: int, boottime_ns: int, boot_id: str) -> Reading:
    """What time it is, by the rules at the top."""
    passed = _passed_ms(anchor, boottime_ns, boot_id)
    wall_ms -= _wrong_ms(anchor)
    if anchor is None or passed is None:
        now = max(t_floor, wall_ms)
        floor, forward = now, False
    else:
        now = max(t_floor, anchor.server_time + passed)
        floor, forward = now, wall_ms > now + FORWARD_MS
    anomaly = CLOCK_BACK if wall_ms < floor - BACK_MS else CLOCK_FORWARD if forward else ""
    return Reading(now=now, floor=floor, anomaly=anomaly, sure=passed is not None)


def anchored(server_time: int, sample: Sample) -> Anchor:
    """The anchor for a time that a verified lease has just given; `server_time` becomes the floor, too."""
    return Anchor(
        server_time=server_time,
        boottime_ns=sample.boottime_ns,
        boot_id=sample.boot_id,
        wall=sample.wall_ms,
    )


def witnessed(anchor: Anchor | None, known: Witness | None, since: int, sample: Sample) -> Witness:
    """The witness at this look; what was counted before another contact counts no more.

    All of a boot counts that began after the last look. Time in which the machine was off does not, and nothing does
    where the system gives its boots no name.
    """
    if known is None or known.since != since:
        begun = sample if anchor is None else anchor
        known = Witness(since=since, counted_ms=0, boottime_ns=begun.boottime_ns, boot_id=begun.boot_id)
    if not sample.boot_id:
        return known
    if not known.boot_id:
        passed_ns = 0
    elif sample.boot_id == known.boot_id:
        passed_ns = max(0, sample.boottime_ns - known.boottime_ns)
    else:
        passed_ns = sample.boottime_ns
    return Witness(
        since=since,
        counted_ms=known.counted_ms + passed_ns // 1_000_000,
        boottime_ns=sample.boottime_ns,
        boot_id=sample.boot_id,
    )


def system_clock() -> Sample:
    """The clocks of this system."""
    wall_ms = time.time_ns() // 1_000_000
    system: str = (
        sys.platform
    )  # named, so that the type checker does not take the other systems for dead code
    if system.startswith("linux"):
        return Sample(wall_ms, time.clock_gettime_ns(time.CLOCK_BOOTTIME), _linux_boot_id())
    if system == "win32":
        from app.keys import foreign_clocks

        return Sample(wall_ms, *foreign_clocks.windows())
    if system == "darwin":
        from app.keys import foreign_clocks

        return Sample(wall_ms, *foreign_clocks.macos())
    return Sample(wall_ms, time.monotonic_ns(), "")


def _passed_ms(anchor: Anchor | None, boottime_ns: int, boot_id: str) -> int | None:
    """Milliseconds since the anchor, or None when this is another boot (or a copy of the machine set back)."""
    if anchor is None or not boot_id or anchor.boot_id != boot_id or boottime_ns < anchor.boottime_ns:
        return None
    return (boottime_ns - anchor.boottime_ns) // 1_000_000


def _wrong_ms(anchor: Anchor | None) -> int:
    """By how much the wall clock was off when the server last gave the time; what rule 4 forgives counts as nothing."""
    off = 0 if anchor is None else anchor.wall - anchor.server_time
    return off if abs(off) > BACK_MS else 0


@functools.cache
def _linux_boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
