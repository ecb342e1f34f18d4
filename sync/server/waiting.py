"""Says from when on an order holds that waits: at its device, by its own words, or here, since it was filed."""

from __future__ import annotations

from typing import Final

from sync.protocol.documents import WIPE, Root
from sync.server.db.kept import FiledOrder

SIGNING_MS: Final = 600_000  # so long may pass between drawing up and filing


def takes_effect(root: Root, order: FiledOrder) -> int:
    """From when on a device is to obey this order (UTC milliseconds): by its own words, or as long after it was
    filed where it waits here.

    Who signs says when that was. A wipe that was drawn up days ago, or dated back, would be over before anybody
    heard of it who could call it off.
    """
    delay = root.wipe.delay_ms if order.op == WIPE else 0
    if order.not_before >= order.filed + delay - min(SIGNING_MS, delay // 2):
        return order.not_before
    return order.filed + delay


def has_waited(root: Root, order: FiledOrder, now: int) -> bool:
    """Whether a device may have this order: it waits there, or it has waited here."""
    effect = takes_effect(root, order)
    return effect == order.not_before or effect <= now
