"""Devices and orders as `fieldkeep-admin` prints them in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.compose import telling
from sync.protocol.desk import DeviceView, OrderView


def device_json(device: DeviceView) -> dict[str, Any]:
    """A device as JSON."""
    times = {name: telling.when(getattr(device, name)) for name in ("last_seen", "wipe_from")}
    return {**msgspec.structs.asdict(device), **times}


def order_json(order: OrderView) -> dict[str, Any]:
    """An order as JSON."""
    times = {
        name: telling.when(getattr(order, name)) for name in ("filed", "reported", "expires", "not_before")
    }
    return {**msgspec.structs.asdict(order), **times}
