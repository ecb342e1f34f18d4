"""The ladder as a table: what silence, lease and clock make of a device."""

from __future__ import annotations

from typing import Any

import msgspec
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


def test_a_policy_whose_time_is_over_rules_on_and_warns() -> None:
    old = msgspec.structs.replace(POLICY, expires=T0, rules=[{"signal": "elevated", "action": "restrict"}])
    asked: dict[str, Any] = {"last_contact": T0, "lease_until": T0 + LEASE * HOUR_MS, "anomaly": ""}
    found = judge(old, now=T0 + HOUR_MS, posture={"elevated": False}, **asked)
    assert (found.rung, found.signal) == (Rung.WARN, "policy_expired")
    found = judge(old, now=T0 + HOUR_MS, posture={"elevated": True}, **asked)
    assert [reason.signal for reason in found.reasons] == ["elevated", "policy_expired"]
    found = judge(old, now=T0 + LEASE * HOUR_MS, posture={}, **asked)
    assert (found.rung, found.signal) == (Rung.LOCK, "silence")


def test_what_is_judged_never_goes_beyond_a_lock_and_names_each_reason() -> None:
    rows = [{"signal": "disk_encryption", "action": "lock_ui"}, {"signal": "clock", "action": "restrict"}]
    policy = msgspec.structs.replace(POLICY, rules=rows)
    found = judge(
        policy, last_contact=T0, lease_until=T0, now=T0 + 90 * 24 * HOUR_MS, anomaly="clock_back", missing=True,
        posture={"disk_encryption": False, "clock": "back"},
    )  # fmt: skip
    assert found.rung is Rung.LOCK
    signals = [reason.signal for reason in found.reasons]
    assert signals[0] == "clock_back"
    assert {"silence", "order_missing", "disk_encryption", "clock"} < set(signals)


def test_rungs_rise() -> None:
    rising = [Rung.ALLOW, Rung.WARN, Rung.RESTRICT, Rung.LOCK_UI, Rung.LOCK, Rung.WIPE]
    assert sorted(Rung) == rising
