"""Parts of a policy that say what devices do by themselves."""

from __future__ import annotations

import msgspec


class KeyRule(msgspec.Struct, frozen=True, kw_only=True):
    """How old the keys of a device may become, in days; never changed by themselves where it is 0."""

    rotate_days: int = 0


class TravelRule(msgspec.Struct, frozen=True, kw_only=True):
    """What stays at home while a device travels: this class of care and those above. `always`: every device does."""

    stays_home: str = "confidential"
    always: bool = False
