"""Tells that this machine has slept, or is on another network: what was known of the server before counts no more."""

from __future__ import annotations

import socket
import time
from typing import Final

LOOK_S: Final = 5.0  # between two looks
SLEPT_S: Final = (
    2.0  # a clock that runs on while the machine sleeps got ahead of one that does not by so much
)
LATE_S: Final = 15.0  # a look that comes so late: whoever looks was asleep
# Addresses kept free for documents: nothing is sent there, the system only says by which way it would be.
_FAR: Final = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))


class Surroundings:
    """Looked at every few seconds by one thread."""

    def __init__(self) -> None:
        self._looked = time.monotonic()
        self._slept = slept_s()
        self._way = way_out()

    def changed(self) -> bool:
        """Whether the machine has slept since the last look, or has another way out, and has one."""
        now, slept, way = time.monotonic(), slept_s(), way_out()
        awoke = slept - self._slept >= SLEPT_S or now - self._looked >= LOOK_S + LATE_S
        moved = way != self._way and bool(way)
        self._looked, self._slept = now, slept
        self._way = way or self._way  # a way that comes back as it was brings the same line back, or none
        return awoke or moved


def slept_s() -> float:
    """For how long the machine has slept since it started, more or less; 0 on a system that does not say."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.clock_gettime(clock) - time.monotonic() if clock is not None else 0.0


def way_out() -> str:
    """The address from which this machine would speak to the world; "" when it is on no network."""
    for family, far in _FAR:
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((far, 9))
                return str(asked.getsockname()[0])
        except OSError:
            continue
    return ""
