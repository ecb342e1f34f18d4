"""Orders, shares and leases: verified before they are filed, carried until they are answered."""

from __future__ import annotations

import secrets
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import documents, sealing, signing, trust
from sync.protocol.documents import LOCK, UNLOCK, WIPE, Lease, Policy, Target
from sync.protocol.errors import KnownError, Refused
from sync.server import config
from tests.server.driver import Device
from tests.server.inside import Inside
from tests.server.orders import accepted, at_rest, order, signed

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
    assert not [p for p in at_rest(ana, order_head=lock.seq).papers if p.kind == "order"]
    inside.unlock(ana)
    assert seen() == ("locked", "unlock")
    unlock = accepted(ana, at_rest(ana))
    assert unlock.seq > lock.seq
    at_rest(ana, obeyed={unlock.order_id: "done"})
    assert seen() == ("active", "")


def test_a_refused_lock_is_told_and_opens_nothing(inside: Inside, ana: Device, bo: Device) -> None:
    """Whoever has stolen it would refuse every order."""
    bo.add("customer", name="Northwind")
    ana.sync()
    inside.lock(ana)
    lock = accepted(ana, ana.ask())
    bo.sync()
    ana.exchange(obeyed={lock.order_id: "refused:expired"})
    assert (inside.view(ana).state, inside.view(ana).pending) == ("active", "lock refused:expired")
    assert [each.state for each in inside.office.orders()] == ["refused:expired"]
    reply = ana.ask(ask_share=True, lease_left_ms=0)
    assert (reply.changes, reply.papers) == ([], [])
    inside.unlock(ana)
    unlock = accepted(ana, ana.ask())
    ana.exchange(obeyed={unlock.order_id: "refused:overtaken"})
    assert inside.view(ana).pending == "lock refused:expired"
    assert ana.ask(lease_left_ms=0).changes == []
    inside.unlock(ana)
    reply = ana.ask(lease_left_ms=0)
    assert reply.paper("lease").kind == "lease"
    assert inside.view(ana).pending == "unlock"


def test_a_refused_wipe_stays_in_force(inside: Inside, ana: Device, bo: Device) -> None:
    ana.sync()
    inside.wipe(ana)
    wipe = accepted(ana, ana.ask()).order_id
    bo.add("customer", name="Northwind")
    bo.sync()
    ana.exchange(obeyed={wipe: "refused:threshold"})
    assert (inside.view(ana).state, inside.view(ana).pending) == ("wiping", "wipe refused:threshold")
    reply = ana.ask(ask_share=True, lease_left_ms=0)
    assert (reply.changes, reply.papers) == ([], [])
    again = inside.wipe(ana)  # signed anew, it goes out again
    ana.hand_in(ana.receipt(again))
    assert inside.view(ana).state == "wiped"


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
