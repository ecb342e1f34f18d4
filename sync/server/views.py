"""What IT is shown of people, devices, orders and refused changes; a view each, made of what the store holds."""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from sync.protocol import sealing, trust
from sync.protocol.consoles import PolicyDraft
from sync.protocol.desk import DeviceView, OrderView, PersonView, RefusedView
from sync.protocol.documents import WIPE, Receipt
from sync.protocol.errors import Refused
from sync.protocol.ids import ID_BYTES, id_text
from sync.protocol.messages import HELD_BACK, PIN_LOCKED
from sync.protocol.ops import Op, print_of
from sync.server import holdings, post, travel
from sync.server.db.base import Transaction
from sync.server.db.kept import Device, FiledOrder, Person, RefusedOp


def person_view(person: Person, devices: int, news: str) -> PersonView:
    """Somebody with an account; `news` is "added", "changed" or ""."""
    return PersonView(
        id=id_text(person.id),
        email=person.email,
        role=person.role,
        team=person.team,
        territory=", ".join(person.territories),
        devices=devices,
        news=news,
        care=person.rights.care.name.lower(),
        territories=list(person.territories),
        own_alone=person.own_alone,
    )


def receipt_of(tx: Transaction, device: Device) -> Receipt | None:
    """The receipt of a device, as long as it is its own: it was when it came, and whoever writes to the store could lay
    another one there."""
    kept = tx.post.receipt(device.enrolment)
    return _verified(kept.envelope, device.spki) if kept is not None else None


def wipe_since(tx: Transaction, device: Device, now: int) -> int:
    """When the first wipe was filed that stands for a device; `now` where there is none."""
    orders = tx.post.orders_for(device.enrolment)
    spared = post.cancelled(orders, heard=True)
    return min(
        (each.filed for each in orders if each.op == WIPE and each.order_id not in spared), default=now
    )


@functools.lru_cache(4_096)  # the list of devices asks for each
def _verified(envelope: bytes, spki: bytes) -> Receipt | None:
    try:
        return trust.receipt(envelope, spki)
    except Refused:
        return None


def device_view(tx: Transaction, device: Device) -> DeviceView:
    """A device as it stands: state, last contact, unsent work, proof of a wipe."""
    stands = post.standing(tx, device)
    person = travel.reader(tx, device, post.root_and_policy(tx)[1])
    there, posture = tx.post.receipt(device.enrolment) is not None, posture_of(device)
    receipt = receipt_of(tx, device) if there else None
    return DeviceView(
        name=device.name,
        id=id_text(device.device),
        enrolment=device.enrolment,
        person=person.email if person else "",
        state=stands.state,
        last_seen=device.last_seen,
        receipt="verified" if receipt else "forged" if there else "none",
        unsent=device.unsent,
        platform=device.platform,
        app_version=device.app_version,
        pending=stands.pending,
        outbox_records=sum(each.records for each in tx.post.sealed(device.enrolment) if each.whole),
        confirmed=holdings.confirmed(device, person),
        held_back=held_back(device),
        posture=posture,
        pin_locked=posture.get(PIN_LOCKED) is True,
        wiped_by=(receipt.because or "order") if receipt else "",
        wipe_from=stands.wipe_from,
    )


def posture_of(device: Device) -> dict[str, Any]:
    """What a device told of itself: bounded when it came; what a newer one says is carried, as far as it is plain."""
    try:
        said = msgspec.msgpack.decode(device.posture or b"\x80", type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError):
        return {}
    return {
        name: value for name, value in said.items() if isinstance(value, (str, int, bool)) or _plain(value)
    }


def _plain(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, (str, int)) for each in value)


def held_back(device: Device) -> int:
    """How many records a device says that it holds back."""
    said = posture_of(device).get(HELD_BACK, 0)
    return said if isinstance(said, int) and said > 0 else 0


def refused_view(tx: Transaction, refused: RefusedOp, recovery: bytes) -> RefusedView:
    """A change that was not taken; what it says is sealed to `recovery`, and left out where that is b""."""
    device, person = tx.people.device_by_id(refused.device), tx.people.person(refused.person)
    op = msgspec.msgpack.decode(refused.op, type=Op)
    return RefusedView(
        kind=op.kind,
        record=id_text(op.id) if len(op.id) == ID_BYTES else op.id.hex(),
        device=device.name if device else "",
        enrolment=device.enrolment if device else "",
        person=person.email if person else "",
        rule=refused.code,
        at=refused.at,
        device_id=id_text(refused.device),
        incarnation=refused.incarnation.hex(),
        sealed=sealing.seal(recovery, sealing.REFUSED, refused.op) if recovery else b"",
        taken=tx.records.answered(print_of(op)) is True,
    )


def order_view(tx: Transaction, order: FiledOrder, now: int) -> OrderView:
    """An order that was filed, and what became of it by `now` (UTC milliseconds)."""
    device = tx.people.device(order.enrolment)
    return OrderView(
        number=order.seq,
        id=order.order_id,
        op=order.op,
        device=device.name if device else "",
        enrolment=order.enrolment,
        state=order.report or _unsaid(tx, order, now),
        reason=order.reason,
        signers=order.signers,
        filed=order.filed,
        reported=order.reported,
        expires=order.expires,
        not_before=order.not_before,
    )


def _unsaid(tx: Transaction, order: FiledOrder, now: int) -> str:
    if order.op == WIPE:
        return post.wipe_state(tx, order, now)
    return "expired" if order.expires <= now else "filed"


def with_names(tx: Transaction, draft: PolicyDraft) -> PolicyDraft:
    """A draft of a policy with the addresses of its people."""
    author, editor = (tx.people.person(each) for each in (draft.author, draft.editor))
    return msgspec.structs.replace(
        draft, author_name=author.email if author else "", editor_name=editor.email if editor else ""
    )
