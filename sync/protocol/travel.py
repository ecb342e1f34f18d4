"""Which classes of care stay at home while a device travels, by the policy in force."""

from __future__ import annotations

from typing import Final

from sync.protocol.fields import Care
from sync.protocol.policy_parts import TravelRule

CLASSES: Final = ("confidential", "restricted")


def most_care(rule: TravelRule) -> Care:
    """The highest class that a travelling device shows: the one below that which stays at home."""
    named = (
        rule.stays_home if rule.stays_home in CLASSES else CLASSES[0]
    )  # of a newer program: the stricter reading
    return Care(int(Care[named.upper()]) - 1)
