"""The ladder as a table: what silence, lease and clock make of a device."""

from __future__ import annotations

import pytest

from app.services.guard import HOUR_MS, Rung, judge
from sync.protocol.documents import Offline, Policy

POLICY = Policy(
    version=1, org="00", issued=0, expires=10**15, offline=Offline(warn_h=336, lock_h=504, wipe_d=60)
)
T0 = 1_800_000_000_000
LEASE = 504


@pytest.mark.parametrize(
    ("silent_h", "lease_h", "anomaly", "rung", "signal"),
    [
        (0, LEASE, "", Rung.ALLOW, ""),
        (335.99, LEASE, "", Rung.ALLOW, ""),
        (336, LEASE, "", Rung.WARN, "silence"),
        (503.99, LEASE, "", Rung.WARN, "silence"),
        (504, 10_000, "", Rung.LOCK, "silence"),  # a lease never stretches what policy says
        (504, LEASE, "", Rung.LOCK, "silence"),
        (10, 10, "", Rung.LOCK, "silence"),  # and may end before it
        (9.99, 10, "", Rung.ALLOW, ""),
        (24 * 61, LEASE, "", Rung.LOCK, "silence"),  # nothing on this page wipes
        (0, LEASE, "clock_back", Rung.LOCK, "clock_back"),
        (400, LEASE, "clock_back", Rung.LOCK, "clock_back"),
        (0, LEASE, "clock_forward", Rung.ALLOW, ""),
        (400, LEASE, "clock_forward", Rung.WARN, "silence"),
        (-5, LEASE, "", Rung.ALLOW, ""),  # contact in the future: the server's clock was put back
    ],
)
def test_the_ladder(silent_h: float, lease_h: float, anomaly: str, rung: Rung, signal: str) -> None:
    now = T0 + int(silent_h * HOUR_MS)
    found = judge(POLICY, last_contact=T0, lease_until=T0 + int(lease_h * HOUR_MS), now=now, anomaly=anomaly)
    assert (found.rung, found.signal) == (rung, signal)


def test_rungs_rise() -> None:
    rising = [Rung.ALLOW, Rung.WARN, Rung.RESTRICT, Rung.LOCK_UI, Rung.LOCK, Rung.WIPE]
    assert sorted(Rung) == rising
