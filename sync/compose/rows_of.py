"""Devices, orders and refused changes as `fieldkeep-admin` prints them: a row of a table, or JSON."""

from __future__ import annotations

from typing import Any

import msgspec

from sync.compose import telling
from sync.protocol.desk import DeviceView, OrderView, RefusedView
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _


def refused_row(refused: RefusedView) -> list[str]:
    """A refused change as a row of a table."""
    kind = KINDS.get(refused.kind)
    label = _(kind.label) if kind is not None else refused.kind
    return [
        label,
        refused.record,
        refused.device,
        refused.person,
        refused.rule,
        telling.when(refused.at) or "",
    ]


def refused_json(refused: RefusedView, values: dict[str, Any] | None) -> dict[str, Any]:
    """A refused change as JSON, with its values where they were asked for."""
    found = {**msgspec.structs.asdict(refused), "at": telling.when(refused.at)}
    del found["sealed"]
    return found if values is None else {**found, "values": values}


def device_json(device: DeviceView) -> dict[str, Any]:
    """A device as JSON."""
    return {**msgspec.structs.asdict(device), "last_seen": telling.when(device.last_seen)}


def order_json(order: OrderView) -> dict[str, Any]:
    """An order as JSON."""
    times = {name: telling.when(getattr(order, name)) for name in ("filed", "reported", "expires")}
    return {**msgspec.structs.asdict(order), **times}
