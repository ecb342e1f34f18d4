"""Takes receipts: a device's own account of its wipe, once the whole sealed outbox that it names is here."""

from __future__ import annotations

from typing import Final

import msgspec

from sync.protocol import documents, signing, trust
from sync.protocol.documents import CANCEL, WIPE, Order, Receipt, Root
from sync.protocol.errors import Problem
from sync.protocol.ids import ID_BYTES
from sync.server import handin, holdings, policies, post
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine, Device, StoredReceipt
from sync.server.errors import RequestProblem

LATE: Final = "too late"  # what became of a cancellation: the device had begun


def take_receipt(tx: Transaction, envelope: bytes, along: bytes, now: int, *, order: bytes = b"") -> str:
    """Verify and keep a receipt whose sealed outbox came along, or is here already; the receipt's id.

    Once kept, a repeat changes nothing; but each copy of a device that was copied has a sealed outbox of its own, and
    perhaps an order of its own; none is told that all is here before that is so. Raises RequestProblem, Refused.
    """
    opened = signing.open_envelope(envelope, Receipt.TYPE)
    device = handin.signer(tx, opened)
    if device is None:
        raise RequestProblem(Problem.UNKNOWN_DEVICE, why="receipt of an unknown key")
    receipt = trust.receipt(envelope, device.spki)
    known = tx.post.receipt(device.enrolment)
    if known is None or known.receipt_id != receipt.receipt_id:
        _fits(tx, device, receipt, order, now)
    said = receipt.outbox
    if along:
        handin.take_along(tx, device, said, along, now, own_place=known is None)
    handin.holds(tx, device, said)
    if known is not None:
        tx.post.report(receipt.receipt_id, device.enrolment, post.DONE, now)
        return receipt.receipt_id
    late = _called_off_late(tx, device, receipt, now)
    stored = StoredReceipt(
        enrolment=device.enrolment,
        receipt_id=receipt.receipt_id,
        envelope=envelope,
        received=now,
        outbox_bytes=said.length,
        outbox_records=said.records,
    )
    tx.post.put_receipt(stored)
    tx.post.report(receipt.receipt_id, device.enrolment, post.DONE, now)
    holdings.keep(tx, device)
    tx.people.put_device(msgspec.structs.replace(device, wiped=now, last_seen=now, unsent=0))
    tx.people.drop_share(device.enrolment)
    tx.post.audit(
        AuditLine(
            at=now,
            actor=device.enrolment,
            verb="receipt of silence"
            if receipt.because
            else "receipt, called off too late"
            if late
            else "receipt",
            object=receipt.receipt_id,
            digest=documents.digest(opened.payload),
        )
    )
    return receipt.receipt_id


def _called_off_late(tx: Transaction, device: Device, receipt: Receipt, now: int) -> bool:
    """Whether this wipe was called off, and the device had begun it already; the cancellation says so from then on."""
    found = [
        order
        for order in tx.post.orders_for(device.enrolment)
        if order.op == CANCEL and receipt.receipt_id in post.cancelled([order], heard=False)
    ]
    for order in found:
        tx.post.report(order.order_id, device.enrolment, LATE, now)
    return bool(found)


def _fits(tx: Transaction, device: Device, receipt: Receipt, order_along: bytes, now: int) -> None:
    """A receipt is for this enrolment, and for a filed wipe order: nothing else wipes.

    One that this server was restored from before it was filed comes along, and proves itself.
    """
    root, _policy = post.root_and_policy(tx)
    if (receipt.org, receipt.enrolment, receipt.device) != (root.org, device.enrolment, device.device.hex()):
        raise RequestProblem(Problem.BAD_REQUEST, why="receipt of another device")
    if not 0 < len(receipt.receipt_id) <= 4 * ID_BYTES:
        raise RequestProblem(Problem.BAD_REQUEST, why="receipt without an id")
    if receipt.because:
        policies.fits_silence(tx, root, device, receipt, order_along, now)
        return
    for order in tx.post.orders_for(device.enrolment):
        if order.order_id == receipt.receipt_id:
            if (order.op, order.digest) != (WIPE, receipt.order_sha256):
                raise RequestProblem(Problem.BAD_REQUEST, why="receipt of another order")
            return
    restored = tx.histories.newest_common() is not None
    if restored and order_along and _file_lost(tx, root, device, receipt, order_along, now):
        return
    raise RequestProblem(Problem.BAD_REQUEST, why="receipt without an order")


def _file_lost(
    tx: Transaction, root: Root, device: Device, receipt: Receipt, envelope: bytes, now: int
) -> bool:
    """File the wipe order that a device has obeyed and a restored server has lost; False for any other."""
    claimed = documents.parse(signing.open_envelope(envelope, Order.TYPE).payload, Order)
    # It was obeyed in its time, however long ago that is.
    then = min(now, claimed.expires - 1)
    accepted = trust.order(root, trust.Floors(), envelope, enrolment=device.enrolment, now=then)
    order = accepted.order
    if (order.op, order.order_id, accepted.digest) != (WIPE, receipt.receipt_id, receipt.order_sha256):
        return False
    signers = {each.admin_id or "server" for each in signing.open_envelope(envelope, Order.TYPE).signatures}
    tx.post.put_order(post.filed_as(accepted, envelope, device.enrolment, signers, now))
    tx.post.audit(
        AuditLine(
            at=now, actor=device.enrolment, verb="wipe found", object=order.order_id, digest=accepted.digest
        )
    )
    return True
