"""Orders, receipts, shares and recovered work: carried, verified, stored before they are acknowledged."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.console import desk
from sync.protocol import codec, documents, outbox_seal, sealing, signing, trust
from sync.protocol.documents import LOCK, UNLOCK, WIPE, Lease, Order, Policy, SealedOutbox, Target
from sync.protocol.errors import KnownError, Outcome, Problem, Refused
from sync.protocol.ids import ID_BYTES
from sync.protocol.messages import Cursor
from sync.protocol.ops import Op
from sync.protocol.trust import DAY_MS
from sync.server import config
from tests.server.driver import Device, Refusal, Reply
from tests.server.inside import Inside, nobody_asks


@pytest.fixture
def ana(inside: Inside) -> Device:
    return inside.device(inside.person("ana@example.com"), "ana")


@pytest.fixture
def bo(inside: Inside) -> Device:
    return inside.device(inside.person("bo@example.com"), "bo")


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


# --- filing -----------------------------------------------------------------------------------


def test_either_key_of_an_admin_signs_a_wipe(inside: Inside, ana: Device) -> None:
    inside.office.file(signed(inside, order(inside, WIPE, ana), "order-2.key"))
    assert accepted(ana, ana.ask()).op == WIPE


def test_the_server_cannot_sign_a_wipe(inside: Inside, ana: Device) -> None:
    with pytest.raises(KnownError):
        inside.office.sign_here(WIPE, ana.enrolment, "lost")
    lease_key = config.read_lease_key(inside.folders.lease_key)
    with pytest.raises(Refused):
        inside.office.file(signing.sign(order(inside, WIPE, ana), ("", lease_key)).to_bytes())
    assert not inside.office.orders()


@pytest.mark.parametrize(
    "fields",
    [
        {"org": "00" * 16},
        {"expires": 1},
        {"issued": 0, "not_before": 0},
        {"root_version": 9},
        {"order_id": "00"},
        {"seq": 10**6},
        {"seq": 0},
        {"op": "explode"},
        {"devices": []},
        {"devices": [Target(enrolment="00" * 16)]},
        {"crit": ["not_known_yet"]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_what_a_device_would_refuse_is_not_filed(inside: Inside, ana: Device, fields: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        inside.office.file(signed(inside, msgspec.structs.replace(order(inside, WIPE, ana), **fields)))
    assert not inside.office.orders()
    assert inside.view(ana).state == "active"


def test_an_order_of_a_stranger_is_not_filed(inside: Inside, ana: Device) -> None:
    key = inside.order_key()
    forged = signing.sign(order(inside, WIPE, ana), (key.admin_id, Ed25519PrivateKey.generate()))
    with pytest.raises(Refused):
        inside.office.file(forged.to_bytes())


def test_one_admin_wipes_one_device_and_no_more(inside: Inside, ana: Device, bo: Device) -> None:
    with pytest.raises(Refused) as refusal:
        inside.office.file(signed(inside, order(inside, WIPE, ana, bo)))
    assert refusal.value.rule == "threshold"
    both = inside.office.file(signed(inside, order(inside, LOCK, ana, bo)))
    assert {each.enrolment for each in both} == {ana.enrolment, bo.enrolment}


def test_an_order_signed_before_another_was_filed_is_signed_again(inside: Inside, ana: Device) -> None:
    """A device takes rising numbers only; it would refuse this one."""
    late = signed(inside, order(inside, LOCK, ana))
    inside.office.file(signed(inside, order(inside, UNLOCK, ana)))
    with pytest.raises(Refused) as refusal:
        inside.office.file(late)
    assert refusal.value.rule == "order_number"


def test_a_device_that_is_being_wiped_takes_no_other_order(inside: Inside, ana: Device) -> None:
    envelope = inside.wipe(ana)
    with pytest.raises(Refused):
        inside.unlock(ana)
    ana.hand_in(ana.receipt(envelope))
    with pytest.raises(Refused):
        inside.lock(ana)


# --- lock and unlock --------------------------------------------------------------------------


def test_lock_and_unlock_as_it_sees_them(inside: Inside, ana: Device) -> None:
    def seen() -> tuple[str, str]:
        view = inside.view(ana)
        return view.state, view.pending

    assert seen() == ("active", "")
    inside.lock(ana)
    assert seen() == ("active", "lock")
    lock = accepted(ana, ana.ask())
    at_rest(ana, obeyed={lock.order_id: "done"}, order_head=lock.seq)
    assert seen() == ("locked", "")
    assert not [paper for paper in at_rest(ana).papers if paper.kind == "order"]
    inside.unlock(ana)
    assert seen() == ("locked", "unlock")
    unlock = accepted(ana, at_rest(ana))
    assert unlock.seq > lock.seq
    at_rest(ana, obeyed={unlock.order_id: "done"})
    assert seen() == ("active", "")


def test_a_refused_order_is_told_and_does_not_count(inside: Inside, ana: Device) -> None:
    inside.lock(ana)
    lock = accepted(ana, ana.ask())
    ana.exchange(obeyed={lock.order_id: "refused:expired"})
    assert (inside.view(ana).state, inside.view(ana).pending) == ("active", "")
    assert [each.state for each in inside.office.orders()] == ["refused:expired"]
    ana.add("customer", name="Northwind")
    ana.sync()


def test_reports_about_orders_of_others_change_nothing(inside: Inside, ana: Device, bo: Device) -> None:
    inside.lock(bo)
    lock = accepted(bo, bo.ask())
    ana.exchange(obeyed={lock.order_id: "done", "00" * 16: "done"})
    assert inside.view(bo).pending == "lock"
    assert inside.view(ana).state == "active"


def test_the_share_comes_back_after_the_unlock_alone(inside: Inside, ana: Device) -> None:
    inside.lock(ana)
    assert not [paper for paper in at_rest(ana, ask_share=True).papers if paper.kind == "share"]
    inside.unlock(ana)
    share = at_rest(ana, ask_share=True).paper("share")
    assert sealing.unseal(ana.seal_key, sealing.SHARE, share.data) == ana.share
    assert not [paper for paper in at_rest(ana).papers if paper.kind == "share"]


def test_a_device_locked_by_silence_alone_gets_its_share_at_the_next_contact(
    inside: Inside, ana: Device
) -> None:
    share = at_rest(ana, ask_share=True, lease_left_ms=0).paper("share")
    assert sealing.unseal(ana.seal_key, sealing.SHARE, share.data) == ana.share


def test_a_device_to_be_wiped_gets_neither_share_nor_lease(inside: Inside, ana: Device) -> None:
    inside.wipe(ana)
    reply = at_rest(ana, ask_share=True, lease_left_ms=0)
    assert [paper.kind for paper in reply.papers] == ["order"]


# --- leases and documents ---------------------------------------------------------------------


HALF = 252 * 3_600_000


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ({"lease_left_ms": HALF + 1}, []),
        ({"lease_left_ms": HALF - 1}, ["lease"]),
        ({"lease_left_ms": 0}, ["lease"]),
        ({"policy_version": 0}, ["lease", "policy"]),
        ({"root_version": 0}, ["root"]),
    ],
    ids=str,
)
def test_papers_come_when_they_are_due(ana: Device, head: dict[str, Any], expected: list[str]) -> None:
    assert sorted(paper.kind for paper in ana.ask(**head).papers) == expected


def test_a_lease_answers_its_nonce_and_names_the_newest_order(inside: Inside, ana: Device) -> None:
    inside.lock(ana)
    nonce = secrets.token_hex(16)
    data = ana.ask(lease_left_ms=0, nonce=nonce).paper("lease").data
    assert ana.root is not None
    policy = documents.parse(signing.open_envelope(_policy(ana), Policy.TYPE).payload, Policy)
    lease = trust.lease(ana.root, policy, data, enrolment=ana.enrolment, nonce=nonce)
    assert isinstance(lease, Lease)
    assert (lease.order_head, lease.share_held, lease.policy_version) == (1, True, 1)
    with pytest.raises(Refused):
        trust.lease(ana.root, policy, data, enrolment=ana.enrolment, nonce="another")


def _policy(device: Device) -> bytes:
    assert device.given is not None
    return device.given.policy


# --- wipe and receipt -------------------------------------------------------------------------


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
        assert tx.post.sealed_outbox(ana.enrolment) == ana.sealed
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
        {"outbox": SealedOutbox(length=3, sha256="00" * 32, records=1)},
        {"outbox": SealedOutbox(length=0, sha256=hashlib.sha256(b"x").hexdigest(), records=0)},
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


def test_a_device_that_wiped_itself_for_silence_is_believed(inside: Inside, ana: Device) -> None:
    """Policy orders that wipe without any order; the receipt is then the first word of it."""
    silent = signed(inside, order(inside, WIPE, ana))
    ana.hand_in(ana.receipt(silent, receipt_id="5" * 32, order_sha256=""))
    assert (inside.view(ana).state, inside.view(ana).receipt) == ("wiped", "verified")


def test_work_of_a_device_to_be_wiped_still_comes_in(inside: Inside, ana: Device, bo: Device) -> None:
    ana.sync()
    inside.wipe(ana)
    id_ = ana.add("customer", name="In the last minute")
    assert ana.exchange().results[0].outcome is Outcome.OK
    bo.sync()
    assert id_ in bo.rows


# --- recovered work ---------------------------------------------------------------------------


def recovered(device: Device, reply: Reply) -> list[Op]:
    """What a device finds in its packets."""
    found: list[Op] = []
    for paper in reply.papers:
        if paper.kind == "recovered":
            plain = sealing.unseal(device.seal_key, sealing.RECOVERED, paper.data)
            part = msgspec.msgpack.decode(plain, type=outbox_seal.Part)
            found.extend(
                msgspec.structs.replace(op, origin=(part.device, part.incarnation, op.n)) for op in part.ops
            )
    return found


def give_back(inside: Inside, source: Device, target: Device) -> tuple[int, int]:
    return desk.recover(inside.office, inside.keys, nobody_asks, inside.view(source), inside.view(target))


def queue(device: Device, ops: list[Op]) -> None:
    """Into the outbox, under numbers of this device."""
    for op in ops:
        device.n += 1
        device.waiting.append(msgspec.structs.replace(op, n=device.n, first=device.n))


def test_unsent_work_comes_back_once(inside: Inside, ana: Device, bo: Device) -> None:
    sent = ana.add("customer", name="Northwind")
    ana.sync()
    bo.sync()
    ana.edit(sent, industry="Tea")
    lost = ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again) == (2, 2)
    assert give_back(inside, ana, again) == (2, 0)
    reply = again.exchange()
    queue(again, recovered(again, reply))
    packets = [paper.id for paper in reply.papers]
    assert again.ask().paper("recovered").id == packets[0]  # until the device has said that it holds it
    assert not again.exchange(recovered=packets).papers
    bo.sync()
    assert bo.cells(sent)["industry"] == "Tea"
    assert bo.cells(lost)["name"] == "Unsent"
    # A second recovery, a second device, a repeat: nothing is done twice.
    bo.edit(lost, industry="Coffee")
    bo.sync()
    third = inside.device("ana@example.com", "third")
    give_back(inside, ana, third)
    queue(third, recovered(third, third.exchange()))
    reply = third.exchange()
    assert {result.outcome for result in reply.results} == {Outcome.OK}
    assert third.cells(lost)["industry"] == "Coffee"
    bo.sync()
    assert (bo.cells(lost)["industry"], bo.conflicts) == ("Coffee", {})


def test_work_that_arrived_while_it_was_recovered_is_not_done_again(inside: Inside, ana: Device) -> None:
    ana.sync()
    id_ = ana.add("customer", name="Sent in the last second")
    unsent_before = list(ana.waiting)
    inside.wipe(ana)
    ana.exchange()
    ana.hand_in(ana.receipt(inside.order_envelope(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again) == (0, 0)
    again.sync()
    again.edit(id_, name="Changed since")
    again.sync()
    parcels = desk._parcels(sealing.public_bytes(again.seal_key), ana.device, ana.incarnation, unsent_before)
    inside.office.hand_over(ana.enrolment, again.enrolment, parcels)
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert again.cells(id_)["name"] == "Changed since"


def test_an_origin_is_believed_only_where_work_was_given(inside: Inside, ana: Device, bo: Device) -> None:
    """Else a device could claim another's ops before they come, and they would be passed over."""
    ana.sync()
    bo.op("customer", b"\1" * 16, "add", {"name": "Claimed"}, origin=(ana.device, ana.incarnation, 1))  # type: ignore[arg-type]
    bo.sync()
    ana.add("customer", name="Real")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    queue(again, recovered(again, again.exchange()))
    again.sync()
    assert {again.cells(id_)["name"] for id_ in again.rows} == {"Claimed", "Real"}


def test_much_work_comes_in_several_packets(inside: Inside, ana: Device) -> None:
    for number in range(desk.PARCEL_OPS * 5 + 3):
        ana.add("activity", subject=f"Visit {number}")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    assert give_back(inside, ana, again)[0] == desk.PARCEL_OPS * 5 + 3
    found: list[Op] = []
    told: list[bytes] = []
    while True:
        reply = again.exchange(recovered=told)
        if not reply.papers:
            break
        found.extend(recovered(again, reply))
        told = [paper.id for paper in reply.papers]
    assert [op.n for op in found] == list(range(1, desk.PARCEL_OPS * 5 + 4))


def test_work_goes_to_nobody_who_may_not_hold_it(inside: Inside, ana: Device, bo: Device) -> None:
    ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    admin = inside.device("it@example.com", "desk")
    with pytest.raises(KnownError):
        give_back(inside, ana, admin)
    inside.wipe(bo)
    with pytest.raises(KnownError):
        give_back(inside, ana, bo)
    with pytest.raises(KnownError):
        give_back(inside, bo, admin)


def test_a_packet_of_another_device_is_not_taken_away(inside: Inside, ana: Device, bo: Device) -> None:
    ana.add("customer", name="Unsent")
    ana.hand_in(ana.receipt(inside.wipe(ana)))
    again = inside.device("ana@example.com", "ana")
    give_back(inside, ana, again)
    packet = again.ask().paper("recovered")
    bo.exchange(recovered=[packet.id])
    assert again.ask().paper("recovered") == packet
