"""The ladder: what policy, lease and clock make of this device right now; pure, so that its table can be tested.

Rungs rise: allow, warn, lock the window, lock. Here only silence, the clock and an order that is known to be missing
are signals; whatever else policy will name comes with its own rows. Nothing on this page wipes.
"""

from __future__ import annotations

import enum
from typing import Final

import msgspec

from sync.protocol.documents import Policy

HOUR_MS: Final = 3_600_000
ORDER_MISSING: Final = "order_missing"


class Rung(enum.IntEnum):
    """What is allowed, rising in strictness."""

    ALLOW = 0
    WARN = 1
    LOCK_UI = 3  # the store closes, and its keys stay
    LOCK = 4


class Verdict(msgspec.Struct, frozen=True):
    """The rung, and the signal that set it: "", "silence", "clock_back", "order_missing"."""

    rung: Rung
    signal: str = ""


def judge(
    policy: Policy, *, last_contact: int, lease_until: int, now: int, anomaly: str, missing: bool = False
) -> Verdict:
    """The strictest rung that any signal asks for. Times are trusted UTC milliseconds."""
    if anomaly == "clock_back":
        # A clock set back is how a lease would be stretched; contact with the server sets it right.
        return Verdict(Rung.LOCK, "clock_back")
    if now >= lease_until or now - last_contact >= policy.offline.lock_h * HOUR_MS:
        return Verdict(Rung.LOCK, "silence")
    if missing:
        # The server has signed that there is an order which never came: it may be a lock.
        return Verdict(Rung.LOCK_UI, ORDER_MISSING)
    if now - last_contact >= policy.offline.warn_h * HOUR_MS:
        return Verdict(Rung.WARN, "silence")
    return Verdict(Rung.ALLOW)
