"""The ladder: what policy, lease and clock make of this device right now; pure, so that its table can be tested.

Rungs rise: allow, warn, lock. Here only silence and the clock are signals; whatever else policy will name comes
with its own rows. Nothing on this page wipes.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

from sync.protocol.documents import Policy

HOUR_MS: Final = 3_600_000


class Rung(enum.IntEnum):
    """What is allowed, rising in strictness."""

    ALLOW = 0
    WARN = 1
    LOCK = 4


@dataclass(frozen=True, slots=True)
class Verdict:
    """The rung, and the signal that set it: "", "silence", "clock_back"."""

    rung: Rung
    signal: str = ""


def judge(policy: Policy, *, last_contact: int, lease_until: int, now: int, anomaly: str) -> Verdict:
    """The strictest rung that any signal asks for. Times are trusted UTC milliseconds."""
    if anomaly == "clock_back":
        # A clock set back is how a lease would be stretched; contact with the server sets it right.
        return Verdict(Rung.LOCK, "clock_back")
    if now >= lease_until or now - last_contact >= policy.offline.lock_h * HOUR_MS:
        return Verdict(Rung.LOCK, "silence")
    if now - last_contact >= policy.offline.warn_h * HOUR_MS:
        return Verdict(Rung.WARN, "silence")
    return Verdict(Rung.ALLOW)
