"""The ladder on this device: what policy, lease, clock and posture make of it right now; pure, so that its table can
be tested.

Rungs rise: allow, warn, restrict, lock the window, lock (sync/protocol/ladder.py). Nothing that is judged here wipes:
`judge` ends at the lock, and whether the policy's own rule for silence may wipe is asked by itself (`may_wipe`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from app.keys.trusted_time import CLOCK_BACK, Reading
from sync.protocol import ladder
from sync.protocol.documents import Policy
from sync.protocol.facts import Facts
from sync.protocol.ladder import Reason, Rung
from sync.protocol.signals import DAY_MS, HOUR_MS, SIGNALS, SILENCE

__all__ = ["CLOCK_BACK", "HOUR_MS", "ORDER_MISSING", "Reason", "Rung", "Verdict", "judge", "may_wipe"]

ORDER_MISSING: Final = "order_missing"
POLICY_EXPIRED: Final = "policy_expired"
WITNESSED_LEAST_MS: Final = 7 * DAY_MS


class Verdict(msgspec.Struct, frozen=True):
    """The rung and the signal that set it, "" for none; every reason, the strictest first; uses that are taken away."""

    rung: Rung
    signal: str = ""
    reasons: tuple[Reason, ...] = ()
    blocked: frozenset[str] = frozenset()


def judge(
    policy: Policy,
    *,
    last_contact: int,
    lease_until: int,
    now: int,
    anomaly: str,
    missing: bool = False,
    posture: Mapping[str, Any] | None = None,
) -> Verdict:
    """The strictest rung that any signal asks for. Times are trusted UTC milliseconds."""
    standing = []
    if anomaly == CLOCK_BACK:
        # A clock set back is how a lease would be stretched; contact with the server sets it right.
        standing.append(Reason(Rung.LOCK, CLOCK_BACK))
    if now >= lease_until:
        standing.append(Reason(Rung.LOCK, SILENCE))
    if missing:
        # The server has signed that there is an order which never came: it may be a lock.
        standing.append(Reason(Rung.LOCK_UI, ORDER_MISSING))
    if 0 < policy.expires <= now:
        standing.append(Reason(Rung.WARN, POLICY_EXPIRED))
    facts = Facts(now=now, silent_ms=now - last_contact, posture=posture or {})
    found = ladder.judge(policy, facts, standing)
    capped = dict.fromkeys(map(_at_most_a_lock, found.reasons))
    reasons = tuple(sorted(capped, key=lambda reason: (-reason.rung, reason.signal in SIGNALS)))
    return Verdict(min(found.rung, Rung.LOCK), reasons[0].signal if reasons else "", reasons, found.blocked)


def may_wipe(
    policy: Policy, reading: Reading, *, last_contact: int, witnessed_ms: int, locked_in: str, boot_id: str
) -> bool:
    """Whether the policy's own rule for silence is due, beyond what any setting of the clock can bring about.

    `witnessed_ms` is how long this machine has run since the last contact, sleep included, by the clock since boot,
    which nobody sets. By that clock alone it is enough when all of the silence was witnessed. Where the machine was
    off in between, the wall clock has to agree, nothing may be odd about it, the lock by silence has to stand since
    an earlier boot (`locked_in`), and as much silence as policy locks for has to be witnessed: by the clock that nobody
    sets alone, such a device would be locked by now.
    """
    after = ladder.wipes_after_ms(policy)
    if last_contact <= 0 or reading.anomaly:
        return False
    if witnessed_ms >= after:
        return True
    if reading.now - last_contact < after or not boot_id or locked_in in ("", boot_id):
        return False
    return witnessed_ms >= max(policy.offline.lock_h * HOUR_MS, WITNESSED_LEAST_MS)


def _at_most_a_lock(reason: Reason) -> Reason:
    return reason if reason.rung <= Rung.LOCK else msgspec.structs.replace(reason, rung=Rung.LOCK)
