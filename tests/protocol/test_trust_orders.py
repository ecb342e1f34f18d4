"""Who may lock, unlock and wipe which device: one test for each way to have it obeyed without the right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import documents, signing, trust
from sync.protocol.documents import (
    CANCEL,
    LOCK,
    UNLOCK,
    WIPE,
    Admin,
    Credential,
    Order,
    Root,
    Target,
    WipeRule,
)
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.trust import ADMIN, POLICY_ROLE, SERVER, AcceptedOrder, Floors, Mark
from tests.protocol.authority import (
    CONSOLE,
    DAY,
    LAPTOP,
    NOW,
    OTHER,
    SIGNER,
    Authority,
    Passkey,
    with_passkey,
)

AUTHORITY = Authority()
THIEF = Ed25519PrivateKey.generate()
ROOT = AUTHORITY.root()
Signers = Sequence[tuple[str, Ed25519PrivateKey]]
ANN, BOB = ("ann", AUTHORITY.ann), ("bob", AUTHORITY.bob)
LEASE_KEY, POLICY_KEY = ("", AUTHORITY.lease_key), ("", AUTHORITY.policy_key)
MANY = [LAPTOP, OTHER]


def _take(
    order: Order, signers: Signers, *, floors: Floors | None = None, root: Root = ROOT
) -> AcceptedOrder:
    return _read(signing.sign(order, *signers).to_bytes(), floors=floors, root=root)


def _read(data: bytes, *, floors: Floors | None = None, root: Root = ROOT) -> AcceptedOrder:
    return trust.order(root, floors or Floors(), data, enrolment=LAPTOP, now=NOW)


def _refused(order: Order, signers: Signers, *, floors: Floors | None = None, root: Root = ROOT) -> str:
    with pytest.raises(Refused) as caught:
        _take(order, signers, floors=floors, root=root)
    return caught.value.rule


# --- who --------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", [LOCK, UNLOCK])
@pytest.mark.parametrize(
    ("signer", "authority"), [(ANN, ADMIN), (BOB, ADMIN), (LEASE_KEY, SERVER), (POLICY_KEY, POLICY_ROLE)]
)
def test_admin_server_and_policy_key_lock_and_unlock(
    op: str, signer: tuple[str, Ed25519PrivateKey], authority: str
) -> None:
    taken = _take(AUTHORITY.order(op, 5), [signer])
    assert (taken.order.op, taken.authority, taken.new) == (op, authority, True)
    assert taken.floors.orders == {authority: Mark(5, taken.digest)}


def test_an_order_counts_for_all_who_signed_it() -> None:
    """With the strongest signature taken off it is still the order that was taken in, and nobody's floor falls."""
    order = AUTHORITY.order(UNLOCK, 5)
    high = Floors(orders={SERVER: Mark(9, "of the server")})
    taken = _take(order, [ANN, POLICY_KEY, LEASE_KEY], floors=high)
    mark = Mark(5, taken.digest)
    assert taken.authority == ADMIN
    assert taken.floors.orders == {ADMIN: mark, POLICY_ROLE: mark, SERVER: Mark(9, "of the server")}
    assert _take(order, [POLICY_KEY], floors=taken.floors).new is False
    assert _refused(order, [LEASE_KEY], floors=taken.floors) == "order_number"


@pytest.mark.parametrize("order_id", ["", "00", "0" * 33, "X" * 32, "0" * 60_000])
def test_an_order_is_named_as_orders_are(order_id: str) -> None:
    assert _refused(AUTHORITY.order(LOCK, order_id=order_id[:20_000]), [ANN]) == "order_id"


def test_one_admin_with_one_key_wipes_one_device() -> None:
    for signers in ([ANN], [BOB], [("ann", AUTHORITY.ann_spare)]):
        assert _take(AUTHORITY.order(WIPE), signers).authority == ADMIN


@pytest.mark.parametrize("signers", [[LEASE_KEY], [POLICY_KEY], [LEASE_KEY, POLICY_KEY]])
def test_the_keys_of_the_server_and_of_policy_cannot_wipe(signers: Signers) -> None:
    assert _refused(AUTHORITY.order(WIPE), signers) == "threshold"


@pytest.mark.parametrize(
    "signers",
    [
        [("ann", THIEF)], [("", THIEF)], [("ann", AUTHORITY.bob)], [("bob", AUTHORITY.ann)], [("eve", AUTHORITY.ann)],
        [("", AUTHORITY.ann)], [("ann", AUTHORITY.root_key)], [("", AUTHORITY.root_key)],
    ],
)  # fmt: skip
@pytest.mark.parametrize("op", [LOCK, WIPE])
def test_an_order_that_nobody_signed_who_may_is_refused(op: str, signers: Signers) -> None:
    assert _refused(AUTHORITY.order(op), signers) == "signature"


def test_an_order_whose_bytes_were_changed_is_refused() -> None:
    envelope = signing.sign(AUTHORITY.order(LOCK), ANN)
    bent = msgspec.structs.replace(envelope, payload=envelope.payload.replace(b'"lock"', b'"wipe"'))
    with pytest.raises(Refused) as caught:
        _read(bent.to_bytes())
    assert caught.value.rule == "signature"


def test_a_lease_is_not_taken_for_an_order() -> None:
    data = signing.sign(AUTHORITY.lease(), LEASE_KEY).to_bytes()
    with pytest.raises(Refused) as caught:
        _read(data)
    assert caught.value.rule == "envelope"


def test_an_admin_whom_a_new_root_does_not_name_orders_nothing() -> None:
    two = AUTHORITY.root(2, admins=[AUTHORITY.admins()[1]])
    assert _refused(AUTHORITY.order(WIPE), [ANN], root=two) == "signature"
    assert _take(AUTHORITY.order(WIPE), [BOB], root=two).authority == ADMIN


# --- how many ---------------------------------------------------------------------------------


def test_more_than_one_device_needs_two_admins() -> None:
    order = AUTHORITY.order(WIPE, 1, *MANY)
    assert _refused(order, [ANN]) == "threshold"
    assert len(_take(order, [ANN, BOB]).order.devices) == 2


@pytest.mark.parametrize(
    "signers",
    [
        [ANN, ANN],
        [ANN, ("ann", AUTHORITY.ann_spare)],
        [ANN, LEASE_KEY],
        [ANN, POLICY_KEY],
        [ANN, ("bob", THIEF)],
    ],
)
def test_one_admin_counts_once_however_often_and_with_whatever_keys(signers: Signers) -> None:
    assert _refused(AUTHORITY.order(WIPE, 1, *MANY), signers) == "threshold"


def test_one_key_that_a_root_gives_to_two_people_counts_once() -> None:
    shared = Credential(alg="ed25519", spki=signing.spki_of(AUTHORITY.ann))
    root = AUTHORITY.root(admins=[Admin(admin_id=who, credentials=[shared]) for who in ("ann", "bob")])
    assert _refused(AUTHORITY.order(WIPE, 1, *MANY), [ANN, ("bob", AUTHORITY.ann)], root=root) == "threshold"


def test_a_root_may_ask_two_admins_for_one_device() -> None:
    strict = AUTHORITY.root(wipe=WipeRule(threshold=2))
    assert _refused(AUTHORITY.order(WIPE), [ANN], root=strict) == "threshold"
    assert _take(AUTHORITY.order(WIPE), [ANN, BOB], root=strict).new


def test_a_threshold_of_nought_is_one() -> None:
    loose = AUTHORITY.root(wipe=WipeRule(threshold=0, threshold_many=0))
    assert _refused(AUTHORITY.order(WIPE), [LEASE_KEY], root=loose) == "threshold"
    assert _refused(AUTHORITY.order(WIPE, 1, *MANY), [LEASE_KEY], root=loose) == "threshold"


def _devices(count: int) -> list[str]:
    return [LAPTOP, *(f"{n:032x}" for n in range(1, count))]


@pytest.mark.parametrize("op", [LOCK, UNLOCK, WIPE])
def test_25_devices_are_an_order_and_26_are_none(op: str) -> None:
    assert _take(AUTHORITY.order(op, 1, *_devices(25)), [ANN, BOB]).new
    assert _refused(AUTHORITY.order(op, 1, *_devices(26)), [ANN, BOB]) == "devices"


def test_a_root_can_lower_the_number_of_devices_and_not_raise_it() -> None:
    low, high = (AUTHORITY.root(wipe=WipeRule(max_devices=count)) for count in (2, 1_000))
    assert _refused(AUTHORITY.order(WIPE, 1, *_devices(3)), [ANN, BOB], root=low) == "devices"
    assert _refused(AUTHORITY.order(WIPE, 1, *_devices(26)), [ANN, BOB], root=high) == "devices"


def test_a_device_named_twice_is_refused() -> None:
    assert _refused(AUTHORITY.order(WIPE, 1, LAPTOP, LAPTOP), [ANN, BOB]) == "devices"


# --- passkeys ---------------------------------------------------------------------------------


def test_a_passkey_on_the_console_page_wipes_one_device() -> None:
    order = AUTHORITY.order(WIPE)
    taken = _read(with_passkey(order, AUTHORITY.passkey.sign(order.to_bytes(), CONSOLE)))
    assert (taken.authority, taken.order.devices) == (ADMIN, [Target(enrolment=LAPTOP)])


def _with_two_passkeys() -> tuple[Root, Passkey]:
    other = Passkey(eddsa=True)
    admins = [AUTHORITY.admins()[0], Admin(admin_id="bob", credentials=[other.credential()])]
    return AUTHORITY.root(admins=admins), other


def test_two_passkeys_on_the_console_page_do_not_wipe_two_devices() -> None:
    """A page can show one thing and have another signed: two tricked touches still cost one device each."""
    root, other = _with_two_passkeys()
    order = AUTHORITY.order(WIPE, 1, *MANY)
    payload = order.to_bytes()
    on_page = [AUTHORITY.passkey.sign(payload, CONSOLE), other.sign(payload, CONSOLE, admin="bob")]
    mixed = [on_page[0], other.sign(payload, SIGNER, admin="bob")]
    away = [AUTHORITY.passkey.sign(payload, SIGNER), mixed[1]]
    for signatures in (on_page, mixed, on_page[:1]):
        with pytest.raises(Refused) as caught:
            _read(with_passkey(order, *signatures), root=root)
        assert caught.value.rule == "threshold"
    assert len(_read(with_passkey(order, *away), root=root).order.devices) == 2


@pytest.mark.parametrize("op", [LOCK, UNLOCK, CANCEL])
def test_nothing_that_a_console_page_has_signed_for_two_devices_counts(op: str) -> None:
    """Else one tricked touch calls off a wipe of many, or puts their numbers so high that no wipe follows."""
    cancels = "ab" * 16 if op == CANCEL else ""
    order = msgspec.structs.replace(AUTHORITY.order(op, 2**53, *MANY), cancels=cancels)
    on_page = AUTHORITY.passkey.sign(order.to_bytes(), CONSOLE)
    with pytest.raises(Refused) as caught:
        _read(with_passkey(order, on_page))
    assert caught.value.rule == "threshold"
    away = AUTHORITY.passkey.sign(order.to_bytes(), SIGNER)
    assert _read(with_passkey(order, away)).authority == ADMIN


def test_a_console_page_raises_no_number_of_admins_beside_the_servers_own_signature() -> None:
    order = AUTHORITY.order(LOCK, 2**53, *MANY)
    signatures = [
        AUTHORITY.passkey.sign(order.to_bytes(), CONSOLE),
        signing.sign(order, LEASE_KEY).signatures[0],
    ]
    taken = _read(with_passkey(order, *signatures))
    assert (taken.authority, set(taken.floors.orders)) == (SERVER, {SERVER})


def test_an_admin_who_also_signed_away_from_the_page_counts() -> None:
    root, other = _with_two_passkeys()
    order = AUTHORITY.order(WIPE, 1, *MANY)
    payload = order.to_bytes()
    signatures = [
        AUTHORITY.passkey.sign(payload, CONSOLE),
        signing.sign(order, ANN).signatures[0],
        other.sign(payload, SIGNER, admin="bob"),
    ]
    assert _read(with_passkey(order, *signatures), root=root).new


def test_a_passkey_signature_over_another_order_is_refused() -> None:
    order = AUTHORITY.order(WIPE)
    signature = AUTHORITY.passkey.sign(AUTHORITY.order(LOCK).to_bytes(), CONSOLE)
    with pytest.raises(Refused) as caught:
        _read(with_passkey(order, signature))
    assert caught.value.rule == "signature"


def test_a_passkey_signs_nowhere_where_a_root_names_no_site() -> None:
    order = AUTHORITY.order(WIPE)
    data = with_passkey(order, AUTHORITY.passkey.sign(order.to_bytes(), CONSOLE))
    with pytest.raises(Refused) as caught:
        _read(data, root=AUTHORITY.root(console=None, signer=None))
    assert caught.value.rule == "signature"


# --- which device, which organisation ---------------------------------------------------------


@pytest.mark.parametrize("op", [LOCK, WIPE])
@pytest.mark.parametrize(
    "changed",
    [
        {"org": "ff" * 16}, {"devices": [Target(enrolment=OTHER)]}, {"devices": []},
        {"devices": [Target(enrolment="*")]},
        {"devices": [Target(enrolment="")]}, {"devices": [Target(enrolment=LAPTOP[:-1])]},
        {"devices": [Target(enrolment=OTHER, name=LAPTOP)]},
    ],
)  # fmt: skip
def test_an_order_for_another_device_or_organisation_is_refused(op: str, changed: dict[str, Any]) -> None:
    assert _refused(AUTHORITY.order(op, **changed), [ANN, BOB]) == "device"


def test_an_old_order_does_not_hit_the_machine_enrolled_anew() -> None:
    data = signing.sign(AUTHORITY.order(WIPE), ANN).to_bytes()
    with pytest.raises(Refused) as caught:
        trust.order(ROOT, Floors(), data, enrolment="44" * 16, now=NOW)
    assert caught.value.rule == "device"


@pytest.mark.parametrize("op", ["", "WIPE", "wipe ", "format", "erase"])
def test_an_order_of_an_unknown_sort_is_refused(op: str) -> None:
    assert _refused(AUTHORITY.order(op), [ANN, BOB]) == "op"


# --- numbers ----------------------------------------------------------------------------------


def _after(seq: int, *signers: tuple[str, Ed25519PrivateKey]) -> Floors:
    return _take(AUTHORITY.order(LOCK, seq), signers or [ANN]).floors


def test_an_older_order_is_refused() -> None:
    assert _refused(AUTHORITY.order(UNLOCK, 4), [ANN], floors=_after(5)) == "order_number"
    assert _refused(AUTHORITY.order(UNLOCK, -1), [ANN]) == "order_number"


def test_the_same_order_again_is_nothing_new() -> None:
    floors = _after(5)
    again = _take(AUTHORITY.order(LOCK, 5), [ANN], floors=floors)
    assert (again.new, again.floors) == (False, floors)


def test_the_same_order_signed_anew_is_nothing_new() -> None:
    """Signatures differ from one another; the order is its bytes."""
    assert not _take(AUTHORITY.order(LOCK, 5), [BOB], floors=_after(5, ANN)).new


def test_another_order_under_the_same_number_raises_the_alarm() -> None:
    with pytest.raises(Equivocation):
        _take(AUTHORITY.order(UNLOCK, 5), [ANN], floors=_after(5))


def test_a_stolen_server_key_that_runs_ahead_does_not_shut_out_an_admins_wipe() -> None:
    ahead = _after(2**62, LEASE_KEY)
    assert _refused(AUTHORITY.order(UNLOCK, 6), [LEASE_KEY], floors=ahead) == "order_number"
    taken = _take(AUTHORITY.order(WIPE, 6), [ANN], floors=ahead)
    assert taken.floors.orders == {**ahead.orders, ADMIN: Mark(6, taken.digest)}


def test_each_authority_has_a_floor_of_its_own() -> None:
    floors = Floors(orders={ADMIN: Mark(9, "a"), SERVER: Mark(3, "s"), POLICY_ROLE: Mark(6, "p")})
    assert _take(AUTHORITY.order(LOCK, 4), [LEASE_KEY], floors=floors).floors.orders[SERVER].number == 4
    assert _refused(AUTHORITY.order(LOCK, 4), [POLICY_KEY], floors=floors) == "order_number"
    assert _refused(AUTHORITY.order(LOCK, 8), [ANN], floors=floors) == "order_number"


def test_an_order_refused_by_its_number_of_signers_raises_no_floor() -> None:
    floors = Floors()
    assert _refused(AUTHORITY.order(WIPE, 9), [LEASE_KEY], floors=floors) == "threshold"
    assert floors == Floors()
    assert _take(AUTHORITY.order(LOCK, 1), [LEASE_KEY], floors=floors).new


# --- time, and what a root agreed -------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [{"expires": NOW}, {"expires": NOW - DAY}, {"expires": NOW + 180 * DAY + 1}, {"issued": NOW - 91 * DAY}],
)
def test_an_order_that_has_expired_or_holds_too_long_is_refused(changed: dict[str, Any]) -> None:
    assert _refused(AUTHORITY.order(WIPE, **changed), [ANN]) == "expired"


def test_an_order_under_a_root_that_is_not_here_waits() -> None:
    assert _refused(AUTHORITY.order(WIPE, root_version=2), [ANN]) == "root_number"


def test_a_wipe_keeps_the_delay_that_a_root_agreed() -> None:
    slow = AUTHORITY.root(wipe=WipeRule(delay_ms=900_000))
    assert _refused(AUTHORITY.order(WIPE), [ANN], root=slow) == "delay"
    assert _take(AUTHORITY.order(LOCK), [ANN], root=slow).new
    late = AUTHORITY.order(WIPE, not_before=NOW + 900_000)
    assert _take(late, [ANN], root=slow).order.not_before == NOW + 900_000


def test_a_wipe_without_the_witnesses_that_a_root_agreed_is_refused() -> None:
    witnessed = AUTHORITY.root(wipe=WipeRule(witnesses=1))
    assert _refused(AUTHORITY.order(WIPE), [ANN, BOB], root=witnessed) == "witness"
    assert _take(AUTHORITY.order(LOCK), [ANN], root=witnessed).new


def test_a_digest_names_the_order() -> None:
    order = AUTHORITY.order(WIPE)
    assert _take(order, [ANN]).digest == documents.digest(order.to_bytes())
