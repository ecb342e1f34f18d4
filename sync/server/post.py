"""Carries papers: files orders, hands them out, takes reports, gives back shares and recovered work.

The server can neither make a wipe nor change one. It verifies what it files, so that a device is not handed
something it will refuse.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec

from sync.protocol import codec, documents, sealing, signing, trust
from sync.protocol.documents import CANCEL, LOCK, UNLOCK, WIPE, Order, Policy, Root
from sync.protocol.errors import Problem, Refused
from sync.protocol.ids import ID_BYTES
from sync.protocol.messages import ExchangeHead, Paper
from sync.protocol.roles import may_change
from sync.protocol.texts import gettext as _
from sync.server import limits, logs, travel
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine, Device, FiledOrder, Packet, Person
from sync.server.errors import RequestProblem

DONE: Final = "done"
REFUSED: Final = "refused"  # a report begins with it: "refused:<rule>"
REPORT_MAX: Final = 80
PACKETS_AT_ONCE: Final = 4
SHARE_BYTES: Final = 32
SHARE_LENGTHS: Final = (SHARE_BYTES, 2 * SHARE_BYTES)  # the second with the reset key of a PIN behind it
SHARES_MAX: Final = 4  # of a device at once: the one in force, the next, and what was left of either
SEALED_MAX: Final = 4_096  # bytes of a share that is sealed
SIGNING_MS: Final = 600_000  # so long may pass between drawing up and filing
RESET_MS: Final = 86_400_000  # after an unlock was reported: so long the answer to it may get lost


@dataclass(frozen=True, slots=True)
class Standing:
    """How a device stands in the order book."""

    state: str  # "active" | "locked" (by order) | "wiping" | "wiped"
    locked: bool  # a lock is filed and not lifted: no records go out
    pending: str  # the order that is filed and not yet obeyed, with what the device says where it refused it
    order_head: int
    defied: bool = False  # a lock or wipe in force that the device has refused: it gets no lease either
    wipe_from: int = (
        0  # while "wiping": from when on the first wipe takes effect (UTC milliseconds), 0 for at once
    )

    def wipe_due(self, now: int) -> bool:
        """A wipe is done, or has taken effect by `now`: one that waits for its time can still be called off."""
        return self.state == "wiped" or (self.state == "wiping" and self.wipe_from <= now)

    def closed(self, now: int) -> bool:
        """No records go to this device."""
        return self.locked or self.wipe_due(now)


def refuse_closed(tx: Transaction, device: Device, now: int) -> None:
    """Refuse what is shown to no device that an order has locked or wiped. Raises RequestProblem."""
    if standing(tx, device).closed(now):
        raise RequestProblem(
            Problem.BAD_REQUEST,
            _("This device is locked by an order."),
            _("Connect and run: fieldkeep sync"),
            why="closed",
        )


def standing(tx: Transaction, device: Device) -> Standing:
    """How the device stands, from the orders filed for it and what it has said of them.

    What it says never opens it: who has stolen it would refuse every order. So a lock or wipe is in force though the
    device refuses it, until IT lifts the lock; a refused unlock lifts nothing.
    """
    orders = tx.post.orders_for(device.enrolment)
    head = max((order.seq for order in orders), default=0)
    if any(order.op == CANCEL for order in orders):
        called_off = cancelled(orders, heard=True)
        orders = [order for order in orders if order.op != CANCEL and order.order_id not in called_off]
    wipes = [order for order in orders if order.op == WIPE]
    locked, refused_lock = False, ""
    for order in orders:
        said_no = order.report.startswith(REFUSED)
        if order.op == LOCK:
            locked, refused_lock = True, order.report if said_no else ""
        elif order.op == UNLOCK and not said_no:
            locked, refused_lock = False, ""
    waiting = [order.op for order in orders if not order.report]
    if device.wiped:
        return Standing("wiped", locked, "", head)
    defied = [f"{LOCK} {refused_lock}"] if refused_lock else []
    defied += [f"{WIPE} {order.report}" for order in wipes if order.report][-1:]
    state = "wiping" if wipes else "locked" if device.locked else "active"
    pending = [*defied, *waiting]
    # A device that has refused its wipe waits for nothing any more.
    begins = min((0 if order.report else order.not_before for order in wipes), default=0)
    return Standing(
        state, locked, pending[-1] if pending else "", head, defied=bool(defied), wipe_from=begins
    )


def may_open(stands: Standing, now: int) -> bool:
    """Whether a device is open, until a wipe at the latest that waits for its time, or an unlock waits that would open
    it; one under a wipe takes no other order.
    """
    if stands.wipe_due(now):
        return False
    return not stands.locked or (stands.state == "active" and stands.pending != LOCK)


def cancelled(orders: list[FiledOrder], *, heard: bool) -> set[str]:
    """The ids of wipes that were called off; with `heard`, where the device has said so. An admin signed each of it."""
    return {
        _order(order.envelope).cancels
        for order in orders
        if order.op == CANCEL and (order.report == DONE or not heard)
    }


def wipe_state(tx: Transaction, order: FiledOrder, now: int) -> str:
    """What became of a wipe of which its device has said nothing: "filed", "expired", "cancelled", or "calling off"
    where the device has not heard yet that it is spared."""
    orders = tx.post.orders_for(order.enrolment)
    if order.order_id in cancelled(orders, heard=True):
        return "cancelled"
    if order.order_id in cancelled(orders, heard=False):
        return "calling off"
    return "expired" if order.expires <= now else "filed"


@functools.lru_cache(64)
def _order(envelope: bytes) -> Order:
    return documents.parse(signing.open_envelope(envelope, Order.TYPE).payload, Order)


def order_head(tx: Transaction, device: Device, now: int) -> int:
    """The highest number that the device must have by now: what has expired, or was refused, cannot be missing."""
    orders = tx.post.orders_for(device.enrolment)
    return max((o.seq for o in orders if o.expires > now and o.report in ("", DONE)), default=0)


def root_and_policy(tx: Transaction) -> tuple[Root, Policy]:
    """The root and policy in force; the server filed them itself and only reads them here."""
    return _root(tx.post.newest(Root.TYPE)[1]), _policy(tx.post.newest(Policy.TYPE)[1])


@functools.lru_cache(4)  # each exchange asks, and they change once a year
def _root(envelope: bytes) -> Root:
    return documents.parse(signing.open_envelope(envelope, Root.TYPE).payload, Root)


@functools.lru_cache(4)
def _policy(envelope: bytes) -> Policy:
    return documents.parse(signing.open_envelope(envelope, Policy.TYPE).payload, Policy)


def papers(
    tx: Transaction, device: Device, head: ExchangeHead, root: Root, policy: Policy, now: int
) -> list[Paper]:
    """What the device must be handed, a lease apart."""
    # A root is believed only when it follows the one before, so every version goes out.
    found = [
        Paper(kind="root", data=envelope)
        for number in range(max(head.root_version, 0) + 1, root.version + 1)
        if (envelope := tx.post.document(Root.TYPE, number)) is not None
    ]
    if head.policy_version < policy.version:
        found.append(Paper(kind="policy", data=tx.post.newest(Policy.TYPE)[1]))
    orders = tx.post.orders_for(device.enrolment)
    # A wipe that was called off goes to nobody any more: an earlier version knows no other way to be spared.
    called_off = cancelled(orders, heard=False)
    found.extend(
        Paper(kind="order", data=order.envelope, id=bytes.fromhex(order.order_id))
        for order in orders
        # One that was obeyed goes out again to a device set back to before it: it has to know where it stands.
        if order.expires > now
        and order.order_id not in called_off
        and _has_waited(root, order, now)
        and (not order.report or (order.report == DONE and order.seq > head.order_head))
    )
    stands = standing(tx, device)
    if head.ask_share and not stands.closed(now):
        share = tx.people.share(device.enrolment, head.share_as)
        if share and not (head.ask_reset and _may_choose_pin(tx, device, now)):
            share = share[:SHARE_BYTES]
        if share:
            found.append(Paper(kind="share", data=sealing.seal(device.sealing_key, sealing.SHARE, share)))
    if head.state == "active" and not stands.closed(now) and _may_hold(tx, device):
        packets = _packets(tx, device)
        found.extend(Paper(kind="recovered", data=packet.data, id=packet.id) for packet in packets)
    return found


def _has_waited(root: Root, order: FiledOrder, now: int) -> bool:
    """Whether a device may have this order: it waits there by its own words, or it has waited here since it was filed.

    Who signs says when that was. A wipe that was drawn up days ago, or dated back, would be over before anybody
    heard of it who could call it off.
    """
    delay = root.wipe.delay_ms if order.op == WIPE else 0
    return order.not_before >= order.filed + delay - min(SIGNING_MS, delay // 2) or now >= order.filed + delay


def _may_choose_pin(tx: Transaction, device: Device, now: int) -> bool:
    """Whether IT has unlocked this device just now: the reset key goes out for that, and not for any contact."""
    orders = tx.post.orders_for(device.enrolment)
    last = max(orders, key=lambda order: order.seq, default=None)
    if last is None or last.op != UNLOCK or last.report.startswith(REFUSED):
        return False
    return not last.reported or now - last.reported < RESET_MS


def keep_share(tx: Transaction, device: Device, head: ExchangeHead, now: int) -> None:
    """Hold what the device gives of its share from now on, and forget what its keys were turned away from.

    A device that is locked or wiped replaces nothing; what this server has lost, it may give again. Raises
    RequestProblem.
    """
    held, place = tx.people.shares(device.enrolment), head.share_next or head.share_as
    closed = standing(tx, device).closed(now)
    if head.share_sealed and not (closed and place in held):
        lengths = SHARE_LENGTHS if place in held else (0, *SHARE_LENGTHS)
        if len(head.share) not in lengths or not 0 < len(head.share_sealed) <= SEALED_MAX:
            raise RequestProblem(Problem.BAD_REQUEST, why="share of no known form")
        if place not in held and tx.people.count_shares(device.enrolment) >= SHARES_MAX:
            if closed:
                return  # nothing makes room, and no key of an honest device is of so many epochs
            tx.people.drop_share(device.enrolment, but=head.share_as)
        tx.people.put_share(device.enrolment, head.share, head.share_sealed, place)
    elif forgets(held, head) and not closed:
        tx.people.drop_share(device.enrolment, but=head.share_as)


def forgets(held: list[int], head: ExchangeHead) -> bool:
    """Whether shares are held that no key of this device belongs to any more."""
    return not (head.share_sealed or head.share_next) and head.share_as in held and len(held) > 1


def share_kept(tx: Transaction, device: Device, head: ExchangeHead) -> bytes:
    """The digest of the share that is held in the place of the one that came."""
    share = tx.people.share(device.enrolment, head.share_next or head.share_as)
    return hashlib.sha256(share or b"").digest()


def _may_hold(tx: Transaction, device: Device) -> bool:
    """Whether its person may hold customer data, which may have changed since a packet was filed."""
    person = tx.people.person(device.person)
    return person is not None and may_change(person.role)


def _packets(tx: Transaction, device: Device) -> list[Packet]:
    """The oldest packets that fit; one that does not is left out, or it would stop every exchange of the device."""
    most = PACKETS_AT_ONCE
    while True:
        packets = tx.post.packets_for(device.enrolment, most)
        fitting = [packet for packet in packets if len(packet.data) <= limits.PARCEL_MAX]
        if len(fitting) < len(packets):
            logs.alarm("packet", problem="too_large", device=device.enrolment)
        fitting = [packet for packet in fitting if _in_sight(tx, device, packet)]
        if len(fitting) >= PACKETS_AT_ONCE or len(packets) < most:
            return fitting[:PACKETS_AT_ONCE]
        most += PACKETS_AT_ONCE


def _in_sight(tx: Transaction, device: Device, packet: Packet) -> bool:
    """Whether a packet, which is sealed, can hold nothing that its person may not see by now."""
    heir, wrote = tx.people.person(device.person), tx.people.device_by_id(packet.source)
    owner = tx.people.person(wrote.person) if wrote is not None else None
    if heir is None or owner is None:
        return False
    return sees_as_much(tx, travel.seen_from(device, heir, root_and_policy(tx)[1]), owner)


def sees_as_much(tx: Transaction, heir: Person, owner: Person) -> bool:
    """Whether the one sees every care class that the other can ever have written."""
    rights = (owner.rights, *tx.people.former_rights(owner.id))
    return heir.rights.care >= max(each.care for each in rights)


def take_reports(tx: Transaction, device: Device, head: ExchangeHead, now: int) -> Device:
    """Note what the device says of its orders and packets; the device as it is known then."""
    filed = {order.order_id: order for order in tx.post.orders_for(device.enrolment)}
    if head.order_head > max((order.seq for order in filed.values()), default=0):
        # It obeyed what a restored server has lost; what is signed anew has a higher number.
        logs.alarm("orders", problem="lost", device=device.enrolment)
    for order_id, report in head.obeyed.items():
        known = filed.get(order_id)
        if known is None or not _is_news(known.report, report):
            continue
        if report == DONE and known.op == WIPE:
            continue  # only a receipt says that a device is wiped
        order = tx.post.report(order_id, device.enrolment, report[:REPORT_MAX], now)
        if order is None:
            continue
        verb = f"{order.op} {report[:REPORT_MAX]}"
        tx.post.audit(AuditLine(at=now, actor=device.enrolment, verb=verb, object=order_id))
        if report == DONE and order.op in (LOCK, UNLOCK):
            device = msgspec.structs.replace(device, locked=order.op == LOCK)
    for packet in head.recovered:
        tx.post.take_packet(packet, device.enrolment, now)
    return device


def _is_news(before: str, report: str) -> bool:
    """Whether a device says something new of an order: what was obeyed stays so, whatever it says that was shown the
    order again, and what it refused it can only obey after all. Each of it is a line in the audit table.
    """
    if before == DONE or not report:
        return False
    return not before or report == DONE or (before.startswith(REFUSED) and not report.startswith(REFUSED))


def file_order(tx: Transaction, envelope: bytes, now: int) -> list[FiledOrder]:
    """File a signed order for each of its devices. Raises Refused when a device would refuse it."""
    root, _policy = root_and_policy(tx)
    opened = signing.open_envelope(envelope, Order.TYPE)
    admins = signing.admin_signers(opened, root.admins, root.console, root.signer)
    if not (admins or signing.role_signers(opened, [*root.lease.keys, *root.policy.keys])):
        raise Refused("signature", _("An order without a valid signature was refused."))
    claimed = documents.parse(opened.payload, Order)
    if not claimed.devices:
        raise Refused("devices", _("The order names no device."))
    filed: list[FiledOrder] = []
    for target in claimed.devices:
        accepted = trust.order(root, trust.Floors(), envelope, enrolment=target.enrolment, now=now)
        device = tx.people.device(target.enrolment)
        if device is None:
            raise Refused("device", _("The order names a device that is not enrolled here."))
        stands = standing(tx, device)
        # While a wipe waits for its time a device is in use, and IT can close it meanwhile.
        if stands.state == "wiped" or (stands.wipe_due(now) and accepted.order.op not in (WIPE, CANCEL)):
            raise Refused("device", _("The order names a device that is wiped or about to be."))
        if accepted.order.op == CANCEL:
            _refuse_late(tx, device, accepted.order)
        if not _floor(tx, device, stands, accepted) < accepted.order.seq <= tx.post.last_order_number():
            raise Refused(
                "order_number",
                _("The order's number is taken; sign it again."),
                _("A later order was filed for one of its devices since it was drawn up."),
            )
        if len(accepted.order.order_id) != 2 * ID_BYTES:
            raise Refused("form", _("The order has no proper id."))
        signers = {each.admin_id or trust.SERVER for each in opened.signatures}
        order = filed_as(accepted, envelope, target.enrolment, signers, now)
        tx.post.put_order(order)
        tx.post.audit(
            AuditLine(
                at=now,
                actor=" ".join(order.signers),
                verb=order.op,
                object=order.enrolment,
                digest=order.digest,
            )
        )
        filed.append(order)
    return filed


def _refuse_late(tx: Transaction, device: Device, order: Order) -> None:
    """Refuse to call off what is no wipe under way. Raises Refused."""
    orders = tx.post.orders_for(device.enrolment)
    if not any((each.op, each.order_id) == (WIPE, order.cancels) for each in orders):
        raise Refused("device", _("There is no such wipe under way."), _("See: fieldkeep-admin orders"))
    if order.cancels in cancelled(orders, heard=False):
        raise Refused("device", _("This wipe is called off already."), _("See: fieldkeep-admin orders"))


def _floor(tx: Transaction, device: Device, stands: Standing, accepted: trust.AcceptedOrder) -> int:
    """The number that an order for this device has to be above.

    A wipe that people sign one after the other is not voided by a lock that the server signs meanwhile: devices count
    the numbers of admins for themselves. A lock or unlock is above every order, since the last one stands.
    """
    if accepted.order.op != WIPE or accepted.authority != trust.ADMIN:
        return stands.order_head
    of_admins = [each.seq for each in tx.post.orders_for(device.enrolment) if each.signers != [trust.SERVER]]
    return max(of_admins, default=0)


def filed_as(
    accepted: trust.AcceptedOrder, envelope: bytes, enrolment: str, signers: set[str], now: int
) -> FiledOrder:
    """An order as it is kept for one of its devices."""
    order = accepted.order
    return FiledOrder(
        seq=order.seq,
        order_id=order.order_id,
        op=order.op,
        digest=accepted.digest,
        envelope=envelope,
        enrolment=enrolment,
        reason=order.reason,
        signers=sorted(signers),
        filed=now,
        not_before=order.not_before,
        expires=order.expires,
    )


def packet_id(target: str, source: bytes, batch: bytes) -> bytes:
    """The id of a packet of recovered ops: the same ops for the same device are one packet, however often filed."""
    text = codec.pack(("fieldkeep-packet/v2", target, source, batch))
    return hashlib.sha256(text).digest()[:16]
