"""Devices and orders as `fieldkeep-admin` prints them in JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.compose import telling
from sync.protocol.desk import DeviceView, OrderView


def device_json(device: DeviceView) -> dict[str, Any]:
    """A device as JSON."""
    return {**msgspec.structs.asdict(device), "last_seen": telling.when(device.last_seen)}


def order_json(order: OrderView) -> dict[str, Any]:
    """An order as JSON."""
    times = {name: telling.when(getattr(order, name)) for name in ("filed", "reported", "expires")}
    return {**msgspec.structs.asdict(order), **times}
