"""What IT does at the desk: find a device, and sign an order for it with a key of one's own."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from sync.console import keyfile
from sync.console.ports import Office
from sync.protocol import documents, signing
from sync.protocol.desk import DeviceView, Draft, OrderView
from sync.protocol.documents import LOCK, UNLOCK, WIPE, Order, Root, Target
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.ids import ID_BYTES, parse_id
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DEVICES_MAX, ORDER_LIFE_MS

REASON_MAX: Final = 500
ORDER_KEYS: Final = "order-*.key"
RECOVERY_KEY: Final = "recovery.key"

AGAIN_MS: Final = 30 * 86_400_000  # an order that holds for no longer than this is signed again

Passphrase = Callable[[], str]


def find(devices: Sequence[DeviceView], wanted: str, *, wiped: bool = False) -> DeviceView:
    """The device of that id or enrolment, or the one living device of that name.

    With `wiped`, wiped devices go before living ones: there one name of several must be told apart by id.
    Raises KnownError.
    """
    text = wanted.strip()
    for device in devices:
        if text == device.enrolment or _same_id(text, device.id):
            return device
    named = [device for device in devices if device.name.casefold() == text.casefold()]
    gone = [device for device in named if device.state == "wiped"]
    living = [device for device in named if device.state != "wiped"]
    if wiped and len(gone) > 1:
        ids = ", ".join(device.id for device in gone)
        raise KnownError(
            _("Several wiped devices are named “{name}”: {ids}").format(name=gone[-1].name, ids=ids),
            _("Give the id of the one that you mean."),
        )
    if wiped and gone:
        return gone[-1]
    if living:
        return living[0]
    if gone:
        raise KnownError(
            _("“{name}” is wiped already.").format(name=gone[-1].name), _("See: fieldkeep-admin devices")
        )
    raise KnownError(
        _("There is no device “{name}”.").format(name=text[:60]),
        _("Give its name or id as in: fieldkeep-admin devices"),
    )


def standing_lock(device: DeviceView, orders: Sequence[OrderView]) -> OrderView | None:
    """The lock that stands for a device already, None when a new one would change something.

    An unlock is always worth an order: a device may have locked itself without the server knowing.
    """
    standing = [
        order
        for order in orders
        if order.enrolment == device.enrolment
        and order.op in (LOCK, UNLOCK)
        and order.state in ("filed", "done")
    ]
    last = max(standing, key=lambda order: order.number, default=None)
    if last is not None and last.op == LOCK and (last.state == "filed" or device.state == "locked"):
        return last
    return None


def standing_wipe(enrolment: str, orders: Sequence[OrderView], now: int) -> OrderView | None:
    """The wipe that stands for a device and will still reach it; None where one has to be signed, or signed again.

    An order that ran out, was called off or was refused is handed to no device: one that comes back after that stays
    locked or opens, and is not wiped.
    """
    wipes = [order for order in orders if order.enrolment == enrolment and order.op == WIPE]
    lasting = [order for order in wipes if order.state == "filed" and order.expires - now > AGAIN_MS]
    return max(lasting, key=lambda order: order.number, default=None)


def sign_order(
    office: Office, keys: Path, passphrase: Passphrase, op: str, device: DeviceView, reason: str
) -> list[OrderView]:
    """Sign an order for one device with a key file of this admin, and file it. Raises KnownError."""
    key = order_key(office, keys, passphrase)
    order = drawn_up_here(office, op, [device], reason)
    return signed_and_filed(office, order, key)


def signed_and_filed(office: Office, order: Order, key: keyfile.OpenKey) -> list[OrderView]:
    """Sign an order with a key of this admin, and file it. Raises KnownError."""
    return office.file(signing.sign(order, (key.admin_id, key.signing)).to_bytes())


def drawn_up_here(
    office: Office, op: str, devices: Sequence[DeviceView], reason: str, cancels: str = ""
) -> Order:
    """An order for these devices, not signed yet, as the root in force wants it. Raises KnownError."""
    rule = root_of(office).wipe
    targets = [Target(enrolment=device.enrolment, name=device.name) for device in devices]
    most = min(rule.max_devices, DEVICES_MAX)
    if len(targets) > most:
        raise KnownError(
            _("An order names {n} devices at most.").format(n=most), _("Draw up another one for the others.")
        )
    if len({target.enrolment for target in targets}) != len(targets):
        raise KnownError(_("A device is named twice."), _("Name each of them once."))
    delay_ms = rule.delay_ms if op == WIPE else 0
    order = drawn_up(office.draft(), op, targets, _reason(reason, op), delay_ms)
    return msgspec.structs.replace(order, cancels=cancels) if cancels else order


def drawn_up(draft: Draft, op: str, targets: Sequence[Target], reason: str, delay_ms: int = 0) -> Order:
    """An order, not signed yet; it holds from `delay_ms` on."""
    return Order(
        order_id=secrets.token_hex(ID_BYTES),
        seq=draft.number,
        op=op,
        org=draft.org,
        root_version=draft.root_version,
        devices=[*targets],
        reason=reason,
        issued=draft.now,
        not_before=draft.now + delay_ms,
        expires=draft.now + ORDER_LIFE_MS,
    )


def root_of(office: Office) -> Root:
    """The root in force."""
    return documents.parse(signing.open_envelope(office.root(), Root.TYPE).payload, Root)


def order_key(office: Office, keys: Path, passphrase: Passphrase) -> keyfile.OpenKey:
    """The first key in the folder that the root names for orders. Raises KnownError."""
    root = root_of(office)
    named = {
        (admin.admin_id, credential.spki)
        for admin in root.admins
        for credential in admin.credentials
        if credential.purpose == "order"
    }
    for path in sorted(keys.glob(ORDER_KEYS)):
        key = keyfile.read(path, passphrase)
        if (key.admin_id, signing.spki_of(key.signing)) in named:
            return key
    raise KnownError(
        _("There is no key for orders of this organisation in the folder."),
        _("Name the folder with your order keys: --keys DIR"),
    )


def _reason(text: str, op: str) -> str:
    reason = clean_text(text)
    if op == WIPE and not reason:
        raise KnownError(_("A wipe needs a reason."), _("Say why: --reason TEXT"))
    if len(reason) > REASON_MAX:
        raise KnownError(_("The reason is at most {limit} letters.").format(limit=REASON_MAX))
    return reason


def _same_id(text: str, id_: str) -> bool:
    try:
        return parse_id(text) == parse_id(id_)
    except ValueError:
        return False
