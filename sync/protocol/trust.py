"""The rules of acceptance: bytes in, verified documents out; no files, no network, no clock of its own.

In this order, and the first that fails refuses:

1.  size and form of the envelope (signing.open_envelope)
2.  signatures against the *current* root, counted per distinct key or admin
3.  only then the payload is parsed (documents.parse)
4.  organisation, and for leases and orders the enrolment of this device
5.  number above the highest seen: lower is a roll-back, equal with the same bytes is nothing new, equal with
    other bytes is an equivocation
6.  time: not expired; an expired document of our own still serves as the floor
7.  orders: devices named one by one and not too many; a wipe by enough admins; a console page for one device only

A root follows its predecessor by exactly one and carries the thresholds of both.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from sync.protocol import documents, ladder, signing
from sync.protocol.documents import Lease, Order, Policy, Receipt, Role, Root
from sync.protocol.errors import Equivocation, Refused
from sync.protocol.ids import ID_BYTES
from sync.protocol.signing import Envelope
from sync.protocol.texts import gettext as _

DAY_MS: Final = 86_400_000
ROOT_LIFE_MS: Final = 400 * DAY_MS
ORDER_LIFE_MS: Final = 180 * DAY_MS
DEVICES_MAX: Final = 25  # in one order, whatever a root allows

_ORDER_ID: Final = re.compile(rf"[0-9a-f]{{{2 * ID_BYTES}}}")

SERVER: Final = "server"  # the lease key: locks and unlocks, never wipes
POLICY_ROLE: Final = "policy"
ADMIN: Final = "admin"


class Mark(msgspec.Struct, frozen=True):
    """The highest number seen of one kind of document, and the digest that carried it."""

    number: int = 0
    digest: str = ""


class Floors(msgspec.Struct, frozen=True, kw_only=True):
    """What must never be undercut. Orders are counted per authority, so that a stolen server key, which can
    only lock, cannot run ahead with the number and shut out a wipe."""

    root: Mark = Mark()
    policy: Mark = Mark()
    orders: dict[str, Mark] = {}

    def highest(self, other: Floors) -> Floors:
        """The higher of both, entry by entry: a rolled-back copy cannot lower the floor."""

        def top(a: Mark, b: Mark) -> Mark:
            return a if a.number >= b.number else b

        names = {*self.orders, *other.orders}
        return Floors(
            root=top(self.root, other.root),
            policy=top(self.policy, other.policy),
            orders={n: top(self.orders.get(n, Mark()), other.orders.get(n, Mark())) for n in names},
        )


class AcceptedOrder(msgspec.Struct, frozen=True):
    """A verified order, who signed it, its digest, and the floors once it is taken in."""

    order: Order
    authority: str
    digest: str
    floors: Floors
    new: bool  # False: the very order that was taken in last, whether it waits or was obeyed


def first_root(data: bytes, expected: str, now: int) -> Root:
    """The root whose payload digest came with the enrolment code."""
    envelope = signing.open_envelope(data, Root.TYPE)
    if documents.digest(envelope.payload) != expected:
        raise Refused(
            "root_hash",
            _("This server is not the one your enrolment code names."),
            _("Ask IT for a new code; do not continue if this happens again."),
        )
    root = documents.parse(envelope.payload, Root)
    _signed_by(envelope, root.root, "root")
    _root_in_time(root, now)
    return root


def next_root(current: Root, data: bytes, now: int) -> Root:
    """The successor of the current root, or the current one again when these are its own bytes."""
    envelope = signing.open_envelope(data, Root.TYPE)
    _signed_by(envelope, current.root, "root")
    root = documents.parse(envelope.payload, Root)
    if root.org != current.org:
        raise Refused("org", _("A document of another organisation was refused."))
    if root.version == current.version:
        # Compared as we understand them: the root in force may carry fields that only a newer version knows.
        if root.to_bytes() == current.to_bytes():
            return current
        raise Equivocation("root_number", _("Two different root documents carry one number."), _tell_it())
    if root.version != current.version + 1:
        raise Refused("root_number", _("A root document does not follow the one in force."))
    _signed_by(envelope, root.root, "root")
    _root_in_time(root, now)
    return root


def floors_after(before: Root, after: Root, floors: Floors) -> Floors:
    """The floors under a new root: a role that has none of its old keys left counts anew, so that a stolen key
    which ran ahead with the number does not shut out its successors. What the old keys signed is refused by its
    signature; with one of them left, its old documents would be new again, so then the count goes on.
    """
    orders = dict(floors.orders)
    if _all_keys_gone(before.lease, after.lease):
        orders.pop(SERVER, None)
    rotated = _all_keys_gone(before.policy, after.policy)
    if rotated:
        orders.pop(POLICY_ROLE, None)
    held = {credential.spki for admin in before.admins for credential in admin.credentials}
    if held.isdisjoint(credential.spki for admin in after.admins for credential in admin.credentials):
        orders.pop(ADMIN, None)
    return msgspec.structs.replace(floors, policy=Mark() if rotated else floors.policy, orders=orders)


def policy(root: Root, floors: Floors, data: bytes, now: int) -> tuple[Policy, Floors]:
    """A policy that may take force."""
    envelope = signing.open_envelope(data, Policy.TYPE)
    _signed_by(envelope, root.policy, "policy")
    found = documents.parse(envelope.payload, Policy)
    if found.org != root.org:
        raise Refused("org", _("A document of another organisation was refused."))
    mark = _above(floors.policy, found.version, documents.digest(envelope.payload), "policy_number")
    if found.expires <= now and mark is not floors.policy:
        raise Refused("expired", _("A policy arrived that has already expired; the last one stays in force."))
    ladder.refuse_wipes(found)
    return found, msgspec.structs.replace(floors, policy=mark)


def lease(root: Root, in_force: Policy, data: bytes, *, enrolment: str, nonce: str) -> Lease:
    """A lease for this device in answer to this nonce, clipped to what policy allows."""
    envelope = signing.open_envelope(data, Lease.TYPE)
    _signed_by(envelope, root.lease, "lease")
    found = documents.parse(envelope.payload, Lease)
    if found.org != root.org or found.enrolment != enrolment:
        raise Refused("device", _("A lease of another device was refused."))
    if found.nonce != nonce:
        raise Refused("nonce", _("An old lease was shown again and refused."))
    longest = in_force.offline.lock_h * 3_600_000
    if not 0 < found.valid_ms <= longest:
        return msgspec.structs.replace(found, valid_ms=max(0, min(found.valid_ms, longest)))
    return found


def order(root: Root, floors: Floors, data: bytes, *, enrolment: str, now: int) -> AcceptedOrder:
    """An order for this device. `not_before` is left to the caller, who waits for it.

    It counts for the strongest who signed it, and raises the floor of all who did: with a signature taken off, it is
    still the order that was taken in.
    """
    envelope = signing.open_envelope(data, Order.TYPE)
    admins = signing.admin_signers(envelope, root.admins, root.console, root.signer)
    server = signing.role_signers(envelope, root.lease.keys)
    policy_keys = signing.role_signers(envelope, root.policy.keys)
    if not (admins or server or policy_keys):
        raise Refused("signature", _("An order without a valid signature was refused."))
    found = documents.parse(envelope.payload, Order)
    if found.org != root.org or enrolment not in {target.enrolment for target in found.devices}:
        raise Refused("device", _("An order for another device was refused."))
    admins = _counted(found, admins)
    signed = [name for name, by in ((ADMIN, admins), (POLICY_ROLE, policy_keys), (SERVER, server)) if by]
    if not signed:
        raise _too_few(found)
    authority = signed[0]
    mark = floors.orders.get(authority, Mark())
    taken = _above(mark, found.seq, documents.digest(envelope.payload), "order_number")
    _in_time(root, found, now)
    _may_order(root, found, admins)
    return AcceptedOrder(
        order=found,
        authority=authority,
        digest=taken.digest,
        floors=msgspec.structs.replace(floors, orders=_raised(floors.orders, signed, taken)),
        new=taken is not mark,
    )


def receipt(data: bytes, device_spki: bytes) -> Receipt:
    """A receipt that this device has signed."""
    envelope = signing.open_envelope(data, Receipt.TYPE)
    if not signing.verifies(envelope, device_spki):
        raise Refused("signature", _("A receipt without this device's signature was refused."))
    return documents.parse(envelope.payload, Receipt)


def refuse_unfit(root: Root, found: Order, now: int) -> None:
    """Refuse an order that no signature could make good, by its time, form, devices or delay. Raises Refused."""
    if found.org != root.org:
        raise Refused("org", _("A document of another organisation was refused."))
    _in_time(root, found, now)
    _well_formed(root, found)
    _waits(root, found)


def persons(found: Order, admins: set[signing.Signer]) -> int:
    """How many people stand behind a wipe with these signatures."""
    counted = _counted(found, admins)
    # Two people, and two keys: one key entered for two people is still in one hand.
    return min(len({each.who for each in counted}), len({each.keyid for each in counted}))


def needed(root: Root, found: Order) -> int:
    """How many people an order needs: what the root says for a wipe, and one for any other."""
    if found.op != documents.WIPE:
        return 1
    return max(1, root.wipe.threshold if len(found.devices) == 1 else root.wipe.threshold_many)


def _counted(found: Order, admins: set[signing.Signer]) -> set[signing.Signer]:
    """Those who stand behind an order, whatever it says: a page can show one device and have more signed, so that such
    a signature counts for one device only. Else one touch would call off wipes of 25 devices, or run ahead there with
    the number, and shut out every later wipe.
    """
    return {each for each in admins if len(found.devices) == 1 or not each.page}


def _may_order(root: Root, found: Order, admins: set[signing.Signer]) -> None:
    _well_formed(root, found)
    if found.op == documents.CANCEL and not admins:
        # Whoever took the server over, or the policy key, must not be able to keep a stolen laptop open.
        raise Refused("threshold", _("A cancellation that no admin has signed was refused."))
    if found.op != documents.WIPE:
        return
    if persons(found, admins) < needed(root, found):
        raise _too_few(found)
    _waits(root, found)
    if root.wipe.witnesses > 0:
        # What was agreed and cannot be checked is not done.
        raise Refused(
            "witness",
            _("A wipe order without its witnesses was refused."),
            _("Update Fieldkeep: this version cannot check witnesses yet."),
        )


def _too_few(found: Order) -> Refused:
    if found.op == documents.WIPE:
        return Refused("threshold", _("A wipe order without enough signatures was refused."))
    return Refused("threshold", _("An order without a valid signature was refused."))


def _in_time(root: Root, found: Order, now: int) -> None:
    if found.expires <= now or found.expires - found.issued > ORDER_LIFE_MS:
        raise Refused("expired", _("An expired order was refused."))
    if found.root_version > root.version:
        raise Refused("root_number", _("An order refers to a root document that is not here yet."))


def _well_formed(root: Root, found: Order) -> None:
    if found.op not in (documents.LOCK, documents.UNLOCK, documents.WIPE, documents.CANCEL):
        raise Refused("op", _("An order of an unknown sort was refused."))
    if bool(_ORDER_ID.fullmatch(found.cancels)) != (found.op == documents.CANCEL):
        raise Refused("order_id", _("An order without a proper id was refused."))
    if not _ORDER_ID.fullmatch(found.order_id):
        raise Refused("order_id", _("An order without a proper id was refused."))
    names = [target.enrolment for target in found.devices]
    if not 0 < len(names) <= min(root.wipe.max_devices, DEVICES_MAX) or len(set(names)) != len(names):
        raise Refused("devices", _("An order for too many devices was refused."))


def _waits(root: Root, found: Order) -> None:
    if found.op == documents.WIPE and found.not_before < found.issued + root.wipe.delay_ms:
        raise Refused("delay", _("A wipe order without the agreed delay was refused."))


def _signed_by(envelope: Envelope, role: Role, rule: str) -> None:
    if len(signing.role_signers(envelope, role.keys)) < max(1, role.threshold):
        raise Refused(rule, _("A document without enough valid signatures was refused."))


def _all_keys_gone(before: Role, after: Role) -> bool:
    return {key.spki for key in before.keys}.isdisjoint(key.spki for key in after.keys)


def _raised(orders: dict[str, Mark], signed: list[str], taken: Mark) -> dict[str, Mark]:
    """The marks of orders once this one is taken; none of those who signed it falls."""
    kept = {name: orders.get(name, Mark()) for name in signed}
    return {
        **orders,
        **{name: taken if taken.number >= mark.number else mark for name, mark in kept.items()},
    }


def _above(mark: Mark, number: int, digest: str, rule: str) -> Mark:
    """The mark once this document is taken; the same object when it is the very one we know."""
    if number < mark.number:
        raise Refused(rule, _("A document older than the one in force was refused."))
    if number == mark.number and mark.digest:
        if digest == mark.digest:
            return mark
        raise Equivocation(rule, _("Two different documents carry one number."), _tell_it())
    return Mark(number, digest)


def _root_in_time(root: Root, now: int) -> None:
    if root.expires <= now or root.expires - root.issued > ROOT_LIFE_MS:
        raise Refused("expired", _("A root document that has expired was refused."))


def _tell_it() -> str:
    return _("Tell IT at once: somebody may be showing devices different histories.")
