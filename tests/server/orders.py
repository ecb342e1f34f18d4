"""Orders as a desk writes them and as a device reads them."""

from __future__ import annotations

import secrets
from typing import Any

from sync.protocol import signing, trust
from sync.protocol.documents import Order, Target
from sync.protocol.ids import ID_BYTES
from sync.protocol.messages import Cursor
from sync.protocol.trust import DAY_MS
from tests.server.driver import Device, Reply
from tests.server.inside import Inside


def order(inside: Inside, op: str, *devices: Device, **other: Any) -> Order:
    """An order as a desk would write it."""
    draft = inside.office.draft()
    fields: dict[str, Any] = {
        "order_id": secrets.token_hex(ID_BYTES),
        "seq": draft.number,
        "op": op,
        "org": draft.org,
        "root_version": draft.root_version,
        "devices": [Target(enrolment=each.enrolment, name=each.name) for each in devices],
        "reason": "lost",
        "issued": draft.now,
        "not_before": draft.now,
        "expires": draft.now + DAY_MS,
    }
    return Order(**{**fields, **other})


def signed(inside: Inside, document: Order, name: str = "order-1.key") -> bytes:
    key = inside.order_key(name)
    return signing.sign(document, (key.admin_id, key.signing)).to_bytes()


def at_rest(device: Device, **other: Any) -> Reply:
    """An exchange of a locked device."""
    return device.ask(state="locked", incarnation=b"\0" * 8, cursor=Cursor(), **other)


def accepted(device: Device, reply: Reply) -> Order:
    assert device.root is not None
    data = [paper.data for paper in reply.papers if paper.kind == "order"][-1]
    return trust.order(device.root, trust.Floors(), data, enrolment=device.enrolment, now=device.now()).order
