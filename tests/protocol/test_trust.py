"""Which roots, policies, leases and receipts are believed: one test for each way in which they must not be."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.protocol import documents, signing, trust
from sync.protocol.documents import Document, Key, Offline, Policy, Role, Root
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.signing import Envelope
from sync.protocol.trust import Floors, Mark
from tests.protocol.authority import DAY, LAPTOP, NONCE, NOW, OTHER, Authority, key_of

AUTHORITY = Authority()
THIEF = Ed25519PrivateKey.generate()


def _signed(document: Document, *keys: Ed25519PrivateKey) -> bytes:
    return signing.sign(document, *(("", key) for key in keys)).to_bytes()


def _rule(caught: pytest.ExceptionInfo[Refused]) -> str:
    assert caught.value.title
    return caught.value.rule


# --- the first root ---------------------------------------------------------------------------


def _first(root: Root, *keys: Ed25519PrivateKey, digest: str = "") -> Root:
    data = _signed(root, *keys)
    return trust.first_root(data, digest or documents.digest(root.to_bytes()), NOW)


def test_the_root_that_the_code_names_is_believed() -> None:
    assert _first(AUTHORITY.root(), AUTHORITY.root_key) == AUTHORITY.root()


def test_a_root_that_the_code_does_not_name_is_refused() -> None:
    """Somebody between device and server has a perfect root of his own."""
    thief = Authority()
    with pytest.raises(Refused) as caught:
        _first(thief.root(), thief.root_key, digest=documents.digest(AUTHORITY.root().to_bytes()))
    assert _rule(caught) == "root_hash"


def test_a_root_that_its_own_keys_did_not_sign_is_refused() -> None:
    for keys in ([THIEF], [AUTHORITY.policy_key], [AUTHORITY.ann]):
        with pytest.raises(Refused) as caught:
            _first(AUTHORITY.root(), *keys)
        assert _rule(caught) == "root"


def test_an_expired_root_and_one_for_too_long_are_refused() -> None:
    for changed in ({"expires": NOW}, {"expires": NOW - DAY + 401 * DAY}):
        with pytest.raises(Refused) as caught:
            _first(AUTHORITY.root(**changed), AUTHORITY.root_key)
        assert _rule(caught) == "expired"


# --- the next root ----------------------------------------------------------------------------


def test_roots_follow_one_another_step_by_step() -> None:
    """N+2 without N+1 is refused; N+1 and then N+2 are taken."""
    one, two, three = (AUTHORITY.root(version) for version in (1, 2, 3))
    with pytest.raises(Refused) as caught:
        trust.next_root(one, _signed(three, AUTHORITY.root_key), NOW)
    assert _rule(caught) == "root_number"
    second = trust.next_root(one, _signed(two, AUTHORITY.root_key), NOW)
    assert trust.next_root(second, _signed(three, AUTHORITY.root_key), NOW).version == 3


def test_an_older_root_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        trust.next_root(AUTHORITY.root(2), _signed(AUTHORITY.root(1), AUTHORITY.root_key), NOW)
    assert _rule(caught) == "root_number"


def test_a_new_root_key_needs_both_the_old_and_the_new() -> None:
    fresh = Ed25519PrivateKey.generate()
    two = AUTHORITY.root(2, root=key_of(fresh))
    for keys in ([fresh], [AUTHORITY.root_key], [fresh, THIEF]):
        with pytest.raises(Refused) as caught:
            trust.next_root(AUTHORITY.root(), _signed(two, *keys), NOW)
        assert _rule(caught) == "root"
    taken = trust.next_root(AUTHORITY.root(), _signed(two, AUTHORITY.root_key, fresh), NOW)
    # The removed key signs no root any more.
    with pytest.raises(Refused):
        trust.next_root(taken, _signed(AUTHORITY.root(3), AUTHORITY.root_key), NOW)


def test_one_key_meets_no_threshold_of_two_however_often_it_signs() -> None:
    second = Ed25519PrivateKey.generate()
    one = AUTHORITY.root(root=key_of(AUTHORITY.root_key, second, threshold=2))
    two = msgspec.structs.replace(one, version=2)
    for keys in ([AUTHORITY.root_key], [AUTHORITY.root_key] * 2, [AUTHORITY.root_key, THIEF]):
        with pytest.raises(Refused):
            trust.next_root(one, _signed(two, *keys), NOW)
    assert trust.next_root(one, _signed(two, AUTHORITY.root_key, second), NOW).version == 2


def test_a_key_that_a_root_lists_twice_counts_once() -> None:
    key = Key(alg="ed25519", spki=signing.spki_of(AUTHORITY.root_key))
    one = AUTHORITY.root(root=Role(keys=[key, key], threshold=2))
    with pytest.raises(Refused):
        trust.next_root(one, _signed(AUTHORITY.root(2), AUTHORITY.root_key, AUTHORITY.root_key), NOW)


def test_a_threshold_of_nought_is_one() -> None:
    one = AUTHORITY.root(root=key_of(AUTHORITY.root_key, threshold=0))
    with pytest.raises(Refused):
        trust.next_root(one, _signed(AUTHORITY.root(2), THIEF), NOW)


def test_the_root_in_force_shown_again_changes_nothing() -> None:
    root = AUTHORITY.root()
    assert trust.next_root(root, _signed(root, AUTHORITY.root_key), NOW) is root


def test_the_root_in_force_with_fields_from_tomorrow_is_no_second_history() -> None:
    payload = json.dumps({**json.loads(AUTHORITY.root().to_bytes()), "from_tomorrow": 1}).encode()
    signature = AUTHORITY.root_key.sign(signing.to_be_signed("root", payload))
    keyid = signing.keyid(signing.spki_of(AUTHORITY.root_key))
    data = Envelope(
        type="root",
        payload=payload,
        signatures=[signing.Signature(keyid=keyid, alg="ed25519", sig=signature)],
    ).to_bytes()
    root = trust.first_root(data, documents.digest(payload), NOW)
    assert trust.next_root(root, data, NOW) is root


def test_another_root_under_the_same_number_raises_the_alarm() -> None:
    twin = AUTHORITY.root(org_name="Twin")
    with pytest.raises(Equivocation):
        trust.next_root(AUTHORITY.root(), _signed(twin, AUTHORITY.root_key), NOW)


def test_a_root_of_another_organisation_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        trust.next_root(AUTHORITY.root(), _signed(AUTHORITY.root(2, org="ff" * 16), AUTHORITY.root_key), NOW)
    assert _rule(caught) == "org"


# --- policy -----------------------------------------------------------------------------------


def _take(
    policy: Policy, floors: Floors, *keys: Ed25519PrivateKey, root: Root | None = None
) -> tuple[Policy, Floors]:
    return trust.policy(
        root or AUTHORITY.root(), floors, _signed(policy, *(keys or [AUTHORITY.policy_key])), NOW
    )


def _floors(version: int) -> Floors:
    return _take(AUTHORITY.policy(version), Floors())[1]


def test_a_newer_policy_takes_force_and_raises_the_floor() -> None:
    policy, floors = _take(AUTHORITY.policy(3), _floors(2))
    assert (policy.version, floors.policy.number) == (3, 3)
    assert floors.policy.digest == documents.digest(AUTHORITY.policy(3).to_bytes())


def test_an_older_policy_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        _take(AUTHORITY.policy(2), _floors(3))
    assert _rule(caught) == "policy_number"


def test_another_policy_under_the_same_number_raises_the_alarm() -> None:
    with pytest.raises(Equivocation):
        _take(AUTHORITY.policy(3, inactivity_min=99), _floors(3))


def test_the_same_policy_again_changes_nothing() -> None:
    floors = _floors(3)
    policy, after = _take(AUTHORITY.policy(3), floors)
    assert (policy.version, after) == (3, floors)


def test_a_policy_that_has_expired_is_not_taken_and_raises_no_floor() -> None:
    with pytest.raises(Refused) as caught:
        _take(AUTHORITY.policy(3, expires=NOW), _floors(2))
    assert _rule(caught) == "expired"


def test_our_own_policy_stays_in_force_when_it_expires_and_is_still_the_floor() -> None:
    old = AUTHORITY.policy(3, expires=NOW)
    floors = Floors(policy=Mark(3, documents.digest(old.to_bytes())))
    assert _take(old, floors) == (msgspec.structs.replace(old, type="policy"), floors)
    with pytest.raises(Refused) as caught:
        _take(AUTHORITY.policy(2), floors)
    assert _rule(caught) == "policy_number"


def test_a_policy_signed_by_any_other_key_is_refused() -> None:
    for key in (THIEF, AUTHORITY.root_key, AUTHORITY.lease_key, AUTHORITY.ann):
        with pytest.raises(Refused) as caught:
            _take(AUTHORITY.policy(), Floors(), key)
        assert _rule(caught) == "policy"


def test_a_policy_key_taken_away_by_a_root_signs_nothing_any_more() -> None:
    fresh = Ed25519PrivateKey.generate()
    two = AUTHORITY.root(2, policy=key_of(fresh))
    with pytest.raises(Refused):
        _take(AUTHORITY.policy(), Floors(), root=two)
    assert _take(AUTHORITY.policy(), Floors(), fresh, root=two)[0].version == 1


def test_a_policy_of_another_organisation_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        _take(AUTHORITY.policy(org="ff" * 16), Floors())
    assert _rule(caught) == "org"


@pytest.mark.parametrize("action", ["wipe", "wipe_store", "wipe_scope"])
@pytest.mark.parametrize("signal", ["pin", "version", "tamper", "clock", "", None])
def test_a_policy_that_wipes_for_anything_but_silence_is_refused(action: str, signal: str | None) -> None:
    with pytest.raises(Refused) as caught:
        _take(
            AUTHORITY.policy(
                rules=[{"signal": "silence", "action": "wipe"}, {"signal": signal, "action": action}]
            ),
            Floors(),
        )
    assert _rule(caught) == "policy_wipe"


def test_a_policy_may_wipe_for_silence_and_lock_for_the_rest() -> None:
    rules = [{"signal": "silence", "action": "wipe"}, {"signal": "pin", "action": "lock_crypto"}]
    assert _take(AUTHORITY.policy(rules=rules), Floors())[0].rules == rules


@pytest.mark.parametrize(
    "offline",
    [
        Offline(warn_h=0), Offline(warn_h=-1), Offline(warn_h=505), Offline(lock_h=1441), Offline(wipe_d=0),
        Offline(wipe_d=21), Offline(wipe_d=-60),
    ],
)  # fmt: skip
def test_a_policy_must_warn_before_it_locks_and_lock_before_it_wipes(offline: Offline) -> None:
    with pytest.raises(Refused) as caught:
        _take(AUTHORITY.policy(offline=offline), Floors())
    assert _rule(caught) == "policy_offline"


# --- a stolen key that ran ahead --------------------------------------------------------------


def test_a_stolen_policy_key_that_ran_ahead_is_undone_by_a_root_without_it() -> None:
    _policy, floors = _take(
        AUTHORITY.policy(2**62), Floors(root=Mark(1, "x"), orders={trust.ADMIN: Mark(5, "y")})
    )
    with pytest.raises(Refused):
        _take(AUTHORITY.policy(4), floors)
    fresh = Ed25519PrivateKey.generate()
    two = AUTHORITY.root(2, policy=key_of(fresh))
    after = trust.floors_after(AUTHORITY.root(), two, floors)
    assert (after.policy, after.root, after.orders) == (Mark(), floors.root, floors.orders)
    assert _take(AUTHORITY.policy(4), after, fresh, root=two)[0].version == 4


def test_a_root_that_only_adds_keys_lowers_no_floor() -> None:
    floors = Floors(
        policy=Mark(7, "p"),
        orders={name: Mark(9, name) for name in (trust.ADMIN, trust.SERVER, trust.POLICY_ROLE)},
    )
    more = Ed25519PrivateKey.generate()
    two = AUTHORITY.root(
        2,
        policy=key_of(AUTHORITY.policy_key, more),
        lease=key_of(AUTHORITY.lease_key, more),
        admins=AUTHORITY.admins()[:1],
    )
    assert trust.floors_after(AUTHORITY.root(), two, floors) == floors


def test_with_one_old_key_left_no_floor_falls() -> None:
    """What that key signed before would be new again."""
    floors = Floors(
        policy=Mark(7, "p"), orders={name: Mark(9, name) for name in (trust.SERVER, trust.POLICY_ROLE)}
    )
    more = Ed25519PrivateKey.generate()
    one = AUTHORITY.root(policy=key_of(AUTHORITY.policy_key, more), lease=key_of(AUTHORITY.lease_key, more))
    two = AUTHORITY.root(2, policy=key_of(AUTHORITY.policy_key), lease=key_of(AUTHORITY.lease_key))
    assert trust.floors_after(one, two, floors) == floors


def test_a_role_whose_keys_were_all_taken_away_counts_its_orders_anew() -> None:
    orders = {name: Mark(2**62, name) for name in (trust.ADMIN, trust.SERVER, trust.POLICY_ROLE)}
    fresh = Ed25519PrivateKey.generate()
    one = AUTHORITY.root()
    by_server = trust.floors_after(one, AUTHORITY.root(2, lease=key_of(fresh)), Floors(orders=orders))
    assert set(by_server.orders) == {trust.ADMIN, trust.POLICY_ROLE}
    by_policy = trust.floors_after(one, AUTHORITY.root(2, policy=key_of(fresh)), Floors(orders=orders))
    assert set(by_policy.orders) == {trust.ADMIN, trust.SERVER}
    by_admin = trust.floors_after(one, AUTHORITY.root(2, admins=Authority().admins()), Floors(orders=orders))
    assert set(by_admin.orders) == {trust.SERVER, trust.POLICY_ROLE}


# --- floors -----------------------------------------------------------------------------------


def test_a_copy_put_back_lowers_no_floor() -> None:
    new = Floors(root=Mark(3, "r3"), policy=Mark(5, "p5"), orders={"admin": Mark(7, "a7")})
    old = Floors(
        root=Mark(2, "r2"), policy=Mark(6, "p6"), orders={"admin": Mark(1, "a1"), "server": Mark(2, "s2")}
    )
    highest = Floors(
        root=Mark(3, "r3"), policy=Mark(6, "p6"), orders={"admin": Mark(7, "a7"), "server": Mark(2, "s2")}
    )
    assert new.highest(old) == old.highest(new) == highest


# --- leases -----------------------------------------------------------------------------------


def _lease(signer: Ed25519PrivateKey = AUTHORITY.lease_key, **changed: Any) -> documents.Lease:
    data = _signed(AUTHORITY.lease(**changed), signer)
    return trust.lease(AUTHORITY.root(), AUTHORITY.policy(), data, enrolment=LAPTOP, nonce=NONCE)


def test_a_lease_for_this_device_in_answer_to_this_question_is_taken() -> None:
    assert (_lease().valid_ms, _lease(share_held=True).share_held) == (DAY, True)


@pytest.mark.parametrize(
    ("rule", "changed"),
    [
        ("device", {"enrolment": OTHER}),
        ("device", {"org": "ff" * 16}),
        ("nonce", {"nonce": "cd" * 16}),
        ("nonce", {"nonce": ""}),
    ],
)
def test_a_lease_that_is_not_the_answer_is_refused(rule: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        _lease(**changed)
    assert _rule(caught) == rule


def test_a_lease_signed_by_any_other_key_is_refused() -> None:
    for key in (THIEF, AUTHORITY.policy_key, AUTHORITY.root_key, AUTHORITY.ann):
        with pytest.raises(Refused) as caught:
            _lease(signer=key)
        assert _rule(caught) == "lease"


@pytest.mark.parametrize(
    ("asked", "given"), [(504 * 3_600_000, 504 * 3_600_000), (2**60, 504 * 3_600_000), (0, 0), (-1, 0)]
)
def test_a_lease_is_never_longer_than_policy_says(asked: int, given: int) -> None:
    assert _lease(valid_ms=asked).valid_ms == given


# --- receipts ---------------------------------------------------------------------------------


def test_a_receipt_is_believed_with_the_signature_of_its_device_alone() -> None:
    device = Ed25519PrivateKey.generate()
    data = _signed(AUTHORITY.receipt(), device)
    assert trust.receipt(data, signing.spki_of(device)).result == "wiped"
    for other in (THIEF, AUTHORITY.root_key, AUTHORITY.lease_key):
        with pytest.raises(Refused) as caught:
            trust.receipt(data, signing.spki_of(other))
        assert _rule(caught) == "signature"


def test_a_receipt_is_verified_before_it_is_read() -> None:
    device = Ed25519PrivateKey.generate()
    sig = device.sign(signing.to_be_signed("receipt", b"no json"))
    data = Envelope(
        type="receipt", payload=b"no json",
        signatures=[signing.Signature(keyid="x", alg="ed25519", sig=sig)],
    ).to_bytes()  # fmt: skip
    with pytest.raises(Refused) as caught:
        trust.receipt(data, signing.spki_of(THIEF))
    assert _rule(caught) == "signature"
    with pytest.raises(Refused) as caught:
        trust.receipt(data, signing.spki_of(device))
    assert _rule(caught) == "json"
