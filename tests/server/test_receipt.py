"""A wipe ends with a receipt: verified, stored with the sealed outbox before it is acknowledged, believed once."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console.web import wording
from sync.protocol import codec, signing
from sync.protocol.documents import WIPE, SealedOutbox
from sync.protocol.errors import Outcome, Problem
from sync.server.db.kept import StoredReceipt
from tests.server.driver import Device, Refusal
from tests.server.inside import Inside
from tests.server.orders import accepted, at_rest, order, signed


def test_a_wiped_device_is_gone_and_its_work_is_kept(inside: Inside, ana: Device) -> None:
    ana.add("customer", name="Northwind")
    ana.sync()
    ana.add("customer", name="Unsent")
    envelope = inside.wipe(ana)
    assert inside.view(ana).state == "wiping"
    said = ana.hand_in(ana.receipt(envelope))
    assert said.stored
    view = inside.view(ana)
    assert (view.state, view.receipt, view.pending, view.outbox_records) == ("wiped", "verified", "", 2)
    with inside.store.read() as tx:
        assert tx.people.share(ana.enrolment) is None
        (kept,) = tx.post.sealed(ana.enrolment)
        assert tx.post.sealed_bytes(ana.enrolment, kept.sha256, 0) == ana.sealed
    with pytest.raises(Refusal) as refusal:
        ana.exchange()
    assert refusal.value.trouble.problem is Problem.UNKNOWN_DEVICE
    ana.session = None
    with pytest.raises(Refusal) as refusal:
        ana.sign_in(ana.opening(state="wiped"))
    assert refusal.value.trouble.problem is Problem.UNKNOWN_DEVICE


def test_a_receipt_sent_again_is_stored_once(inside: Inside, ana: Device) -> None:
    body = ana.receipt(inside.wipe(ana))
    first = ana.hand_in(body)
    inside.skew = 60_000
    assert ana.hand_in(body) == first
    lines = [line.verb for line in _audit(inside)]
    assert lines.count("receipt") == 1


def _audit(inside: Inside) -> list[Any]:
    with inside.store.read() as tx:
        return tx.post.audit_lines()


@pytest.mark.expected_warnings("why=signature")
def test_a_receipt_forged_by_anybody_else_is_refused(inside: Inside, ana: Device) -> None:
    envelope = inside.wipe(ana)
    with pytest.raises(Refusal) as refusal:
        ana.hand_in(ana.receipt(envelope, key=Ed25519PrivateKey.generate()))
    assert refusal.value.trouble.problem is Problem.UNKNOWN_DEVICE
    forged = Ed25519PrivateKey.generate()
    body = ana.receipt(envelope, key=forged)
    frames = codec.decode(body)
    head = codec.read(frames[0][1], _Head)
    opened = signing.open_envelope(head.receipt, "receipt")
    name = signing.keyid(signing.spki_of(ana.sign_key))
    lied = [msgspec.structs.replace(opened.signatures[0], keyid=name)]
    again = msgspec.structs.replace(opened, signatures=lied).to_bytes()
    with pytest.raises(Refusal):
        ana.hand_in(codec.encode([("head", _Head(again, 0))]))
    assert inside.view(ana).receipt == "none"


def test_a_receipt_laid_into_the_store_is_not_shown_as_verified(
    inside: Inside, ana: Device, bo: Device
) -> None:
    """Who can write to the server's store lays one there, signed by a key of their own, and calls the device wiped."""
    envelope = inside.wipe(ana)
    frames = codec.decode(ana.receipt(envelope, key=Ed25519PrivateKey.generate()))
    forged = codec.read(frames[0][1], _Head).receipt
    with inside.store.write() as tx:
        laid = StoredReceipt(
            enrolment=ana.enrolment, receipt_id="0" * 32, envelope=forged, received=inside.now(), outbox_bytes=0,
            outbox_records=0,
        )  # fmt: skip
        tx.post.put_receipt(laid)
        device = tx.people.device(ana.enrolment)
        assert device is not None
        tx.people.put_device(msgspec.structs.replace(device, wiped=inside.now()))
    assert (inside.view(ana).receipt, inside.view(ana).wiped_by) == ("forged", "")
    dossier = inside.office.gate.dossier(ana.enrolment)
    assert dossier is not None
    assert (dossier.proof, dossier.row.proven) == (None, False)
    assert wording.state(dossier.row).text == "Called wiped, its receipt does not hold"
    bo.hand_in(bo.receipt(inside.wipe(bo)))
    assert inside.view(bo).receipt == "verified"


class _Head(msgspec.Struct):
    receipt: bytes
    parts: int


@pytest.mark.parametrize(
    "fields",
    [
        {"order_sha256": "00" * 32},
        {"enrolment": "00" * 16},
        {"org": "00" * 16},
        {"device": "00" * 16},
        {"receipt_id": ""},
        {"outbox": SealedOutbox(length=0, sha256=hashlib.sha256(b"x").hexdigest(), records=0)},
        {"outbox": SealedOutbox(length=0, sha256=hashlib.sha256(b"").hexdigest(), records=1)},
    ],
    ids=str,
)
def test_a_receipt_that_does_not_fit_is_refused(inside: Inside, ana: Device, fields: dict[str, Any]) -> None:
    envelope = inside.wipe(ana)
    with pytest.raises(Refusal) as refusal:
        ana.hand_in(ana.receipt(envelope, **fields))
    assert refusal.value.trouble.problem is Problem.BAD_REQUEST
    assert inside.view(ana).state == "wiping"
    ana.hand_in(ana.receipt(envelope))


@pytest.mark.parametrize("field", ["length", "sha256", "records"])
def test_an_outbox_that_is_not_what_its_receipt_says_is_refused(
    inside: Inside, ana: Device, field: str
) -> None:
    ana.add("customer", name="Unsent")
    envelope, wrong = inside.wipe(ana), {"length": 3, "sha256": "00" * 32, "records": 2}[field]
    lied = msgspec.structs.replace(ana.stated(), **{field: wrong})
    with pytest.raises(Refusal) as refusal:
        ana.hand_in(ana.receipt(envelope, outbox=lied))
    assert refusal.value.trouble.problem is Problem.BAD_REQUEST
    assert (inside.view(ana).receipt, inside.view(ana).outbox_records) == ("none", 0)
    ana.hand_in(ana.receipt(envelope))


def test_each_copy_of_a_device_is_told_that_all_is_here_only_when_its_own_work_is(
    inside: Inside, ana: Device
) -> None:
    """Two images of one disk are wiped by one order: the second receipt must not throw its own work away."""
    ana.add("customer", name="Before the copy")
    common, envelope = ana.sealed, inside.wipe(ana)
    ana.add("customer", name="On the first")
    ana.hand_in(ana.receipt(envelope))
    ana.sealed, ana.incarnation = common, b"another1"
    ana.add("customer", name="On the second")
    with pytest.raises(Refusal) as refusal:
        ana.hand_in(ana.receipt(envelope, along=False))
    assert refusal.value.trouble.problem is Problem.GAP
    ana.hand_in(ana.receipt(envelope))
    assert inside.view(ana).outbox_records == 4
    assert [line.verb for line in _audit(inside)].count("receipt") == 1


def test_a_receipt_for_a_lock_is_none(inside: Inside, ana: Device) -> None:
    inside.lock(ana)
    with pytest.raises(Refusal):
        ana.hand_in(ana.receipt(inside.order_envelope(ana)))


def test_saying_done_wipes_nothing(inside: Inside, ana: Device) -> None:
    """Only the receipt does; the order is handed out until then."""
    inside.wipe(ana)
    wipe = accepted(ana, ana.ask())
    at_rest(ana, obeyed={wipe.order_id: "done"})
    assert inside.view(ana).state == "wiping"
    assert accepted(ana, at_rest(ana)) == wipe


def test_a_receipt_for_no_filed_order_is_refused(inside: Inside, ana: Device) -> None:
    """Nothing wipes but an order, so a device that says otherwise was tricked or lies."""
    silent = signed(inside, order(inside, WIPE, ana))
    with pytest.raises(Refusal):
        ana.hand_in(ana.receipt(silent, receipt_id="5" * 32, order_sha256=""))
    assert (inside.view(ana).state, inside.view(ana).receipt) == ("active", "none")


def test_work_of_a_device_to_be_wiped_still_comes_in(inside: Inside, ana: Device, bo: Device) -> None:
    ana.sync()
    inside.wipe(ana)
    id_ = ana.add("customer", name="In the last minute")
    assert ana.exchange().results[0].outcome is Outcome.OK
    bo.sync()
    assert id_ in bo.rows
