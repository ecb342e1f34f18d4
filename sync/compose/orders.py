"""The verbs of `fieldkeep-admin` about orders: which there are, lock, unlock, wipe, and drafts for others to sign."""

from __future__ import annotations

import argparse
import shlex
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from sync.compose import hints, office_socket, rows_of, telling
from sync.console import desk, passphrase, recovery
from sync.console import paper as papers
from sync.console.ports import Office
from sync.protocol import trust
from sync.protocol.desk import DeviceView, OrderView
from sync.protocol.documents import CANCEL, LOCK, UNLOCK, WIPE, Order
from sync.protocol.errors import KnownError
from sync.protocol.joins import listed as listed_in_words
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext
from sync.server.office import StoreOffice
from sync.server.service import system_now

_POLL_S: Final = 0.3


def listed(asked: argparse.Namespace, office: Office) -> int:
    """Every order and what became of it."""
    orders = office.orders()
    if asked.json:
        telling.document([rows_of.order_json(order) for order in orders])
    else:
        ids = {device.enrolment: device.id for device in office.devices()}
        telling.table(
            [_("number"), _("order"), _("device"), _("device id"), _("state"), _("filed"), _("reason")],
            [
                [
                    str(o.number),
                    o.op,
                    o.device,
                    ids.get(o.enrolment, ""),
                    o.state,
                    telling.when(o.filed) or "",
                    o.reason,
                ]
                for o in orders
            ],
            _("No order was ever filed."),
        )
    return 0


def lock_or_unlock(asked: argparse.Namespace, office: Office) -> int:
    """Lock a device, or unlock it."""
    device = desk.find(office.devices(), asked.device)
    due = device.state == "wiping" and device.wipe_from <= system_now()
    if due or device.state == "wiped":
        raise KnownError(
            _("“{name}” is wiped or about to be; no other order reaches it.").format(name=device.name),
            _("See: fieldkeep-admin devices"),
        )
    standing = desk.standing_lock(device, office.orders()) if asked.verb == LOCK else None
    if standing is not None:
        if asked.json:
            telling.document(rows_of.order_json(standing))
        else:
            if device.state == "locked":
                text = _("“{name}” is locked already.")
            else:
                text = _("“{name}” is ordered to be locked already; it obeys at its next contact.")
            telling.say(text.format(name=device.name))
        return 0
    if asked.verb == UNLOCK and not asked.keys and office.lost_share(device.enrolment) is not None:
        raise KnownError(
            _("This server was restored from a backup, and has lost what opens “{name}”.").format(
                name=device.name
            ),
            _("Its sealed copy is here. Unlock with the folder that holds the recovery key: --keys DIR"),
        )
    if asked.keys:
        if asked.verb == UNLOCK:
            recovery.give_share_back(office, asked.keys, passphrase.known, device)
        filed = desk.sign_order(office, asked.keys, passphrase.known, asked.verb, device, asked.reason)
    else:
        filed = office.sign_here(asked.verb, device.enrolment, asked.reason)
    tell_filed(asked, filed)
    return 0


def wipe(asked: argparse.Namespace, office: Office) -> int:
    """Have devices wiped: signed here and filed, or drawn up for others to sign."""
    every = office.devices()
    devices = [desk.find(every, name) for name in asked.device]
    for device in devices:
        if device.state == "wiped":
            raise KnownError(
                _("“{name}” is wiped already.").format(name=device.name), _("See: fieldkeep-admin devices")
            )
    if asked.draft is not None:
        return _draft(asked, office, devices)
    if not asked.keys:
        raise KnownError(
            _("A wipe is signed with a key of your own; the server has none."),
            _("Name the folder with your order keys: --keys DIR"),
        )
    standing = _standing(office, devices)
    filed = [] if standing else _signed(asked, office, devices)
    if asked.wait is None:
        _tell_ordered(asked, standing, filed)
        return 0
    if isinstance(office, StoreOffice):
        raise office_socket.Unreachable(
            _("The order is filed, but no server is running that could bring it to the device."),
            _("Start it with: fieldkeep-server serve"),
        )
    if filed and not asked.json:
        tell_filed(asked, filed)
    return max(_wait_for_receipt(asked, office, device) for device in devices)


def cancel(asked: argparse.Namespace, office: Office) -> int:
    """Call wipes off: signed by one admin, who may be another than those who ordered them."""
    every, orders = office.devices(), office.orders()
    if not asked.keys and asked.draft is None:
        raise KnownError(
            _("A wipe is called off with a key for orders; the server has none."),
            _(
                "Name the folder with your order keys (--keys DIR), or draw it up to be signed elsewhere: --draft FILE"
            ),
        )
    by_order: dict[str, list[DeviceView]] = {}
    for name in asked.device:
        device = desk.find(every, name)
        waiting = [
            each.id
            for each in orders
            if (each.enrolment, each.op, each.state) == (device.enrolment, WIPE, "filed")
        ]
        if not waiting:
            raise KnownError(
                _("No wipe of “{name}” waits.").format(name=device.name), _("See: fieldkeep-admin orders")
            )
        for id_ in waiting:
            by_order.setdefault(id_, []).append(device)
    if asked.draft is not None:
        if len(by_order) != 1:
            raise KnownError(
                _("These are several wipes, and a file holds one order."),
                _("Call them off one after the other."),
            )
        ((id_, devices),) = by_order.items()
        order = desk.drawn_up_here(office, CANCEL, devices, asked.reason, cancels=id_)
        return _drafted(asked, office, order, _("The cancellation is drawn up."))
    key = desk.order_key(office, asked.keys, passphrase.known)
    filed: list[OrderView] = []
    for id_, devices in by_order.items():
        order = desk.drawn_up_here(office, CANCEL, devices, asked.reason, cancels=id_)
        filed += desk.signed_and_filed(office, order, key)
    tell_filed(asked, filed)
    if not asked.json:
        told = _("A device that has begun already goes on; see: fieldkeep-admin orders")
        telling.aside(hints.filled(told))
    return 0


def _standing(office: Office, devices: list[DeviceView]) -> list[OrderView]:
    """The wipes that stand for these devices already: of all of them, or of none.

    An order of fewer devices than were named may take fewer signatures. Raises KnownError where some have one.
    """
    orders, now = office.orders(), system_now()
    found = [desk.standing_wipe(device.enrolment, orders, now) for device in devices]
    standing = [each for each in found if each is not None]
    if standing and len(standing) < len(devices):
        names = listed_in_words(_("“{name}”").format(name=each.device) for each in standing)
        title = ngettext(
            "{names} is ordered to be wiped already; nothing was signed.",
            "{names} are ordered to be wiped already; nothing was signed.",
            len(standing),
        )
        raise KnownError(title.format(names=names), _("Leave it out, and order the others alone."))
    return standing


def _signed(asked: argparse.Namespace, office: Office, devices: list[DeviceView]) -> list[OrderView]:
    """The order, signed with a key of this admin and filed. Raises KnownError."""
    key = desk.order_key(office, asked.keys, passphrase.known)
    order = desk.drawn_up_here(office, WIPE, devices, asked.reason)
    if trust.needed(desk.root_of(office), order) > 1:
        raise KnownError(
            _("This wipe takes the signatures of several people."),
            _("Draw it up for them to sign: --draft FILE"),
        )
    return desk.signed_and_filed(office, order, key)


def _draft(asked: argparse.Namespace, office: Office, devices: list[DeviceView]) -> int:
    """Write the order into a file that people sign on machines of their own."""
    for each in _standing(office, devices):
        raise KnownError(
            _("“{name}” is ordered to be wiped already.").format(name=each.device),
            _("See: fieldkeep-admin orders"),
        )
    order = desk.drawn_up_here(office, WIPE, devices, asked.reason)
    count = ngettext("A wipe of {n} device is drawn up.", "A wipe of {n} devices is drawn up.", len(devices))
    return _drafted(asked, office, order, count.format(n=len(devices)))


def _drafted(asked: argparse.Namespace, office: Office, order: Order, what: str) -> int:
    """Write an order into the file of --draft, and say what comes next."""
    paper = papers.drafted(office.root(), order)
    papers.write(asked.draft, paper, new=True)
    needed = trust.needed(desk.root_of(office), order)
    if asked.json:
        telling.document(
            {
                "file": str(asked.draft),
                "id": order.order_id,
                "number": order.seq,
                "sha256": paper.digest,
                "devices": [each.name for each in order.devices],
                "needs": needed,
            }
        )
        return 0
    people = ngettext(
        "It takes the signature of {n} person.", "It takes the signatures of {n} people.", needed
    )
    telling.say(sentences(what, people.format(n=needed)))
    telling.say(
        _("Each signs it on a machine of their own: {command}").format(command=_command("sign", asked))
    )
    telling.say(
        hints.filled(
            _("Then file it: fieldkeep-admin file {file}").format(file=shlex.quote(str(asked.draft)))
        )
    )
    return 0


def _command(verb: str, asked: argparse.Namespace) -> str:
    return f"fieldkeep-admin --keys DIR {verb} {shlex.quote(asked.draft.name)}"


def _tell_ordered(asked: argparse.Namespace, standing: list[OrderView], filed: list[OrderView]) -> None:
    if filed:
        tell_filed(asked, filed)
    elif asked.json:
        _document(standing)
    else:
        for order in standing:
            told = _("“{name}” is ordered to be wiped already: order {number} stands.")
            telling.say(sentences(told.format(name=order.device, number=order.number), _effect(order)))


def _wait_for_receipt(asked: argparse.Namespace, office: Office, device: DeviceView) -> int:
    deadline, pause = time.monotonic() + asked.wait, threading.Event()
    while True:
        now = next(each for each in office.devices() if each.enrolment == device.enrolment)
        verified = now.receipt == "verified"
        if verified or time.monotonic() >= deadline:
            break
        pause.wait(_POLL_S)
    if asked.json:
        telling.document(rows_of.device_json(now))
    elif verified:
        telling.say(_("“{name}” is wiped; its receipt is verified.").format(name=device.name))
        if now.outbox_records:
            text = _(
                "It has handed in sealed work. Give back what the server lacks with: "
                "fieldkeep-admin recover {name} --to DEVICE"
            )
            telling.say(hints.filled(text.format(name=shlex.quote(device.name))))
    if not verified:
        telling.aside(
            _("No receipt yet from “{name}”. The order stands until the device comes.").format(
                name=device.name
            )
        )
    return 0 if verified else 1


def tell_filed(asked: argparse.Namespace, filed: Sequence[OrderView]) -> None:
    """Say what was filed."""
    if asked.json:
        _document(filed)
        return
    for order in filed:
        told = _("Order {number} is filed: {op} “{device}”.")
        text = told.format(number=order.number, op=order.op, device=order.device)
        telling.say(sentences(text, _effect(order)))


def _document(orders: Sequence[OrderView]) -> None:
    rows = [rows_of.order_json(each) for each in orders]
    telling.document(rows[0] if len(rows) == 1 else rows)


def _effect(order: OrderView) -> str:
    """When an order is obeyed, and how long it can be called off."""
    if order.op != WIPE or order.not_before <= system_now():
        return _("It is obeyed at the device's next contact.")
    told = hints.filled(
        _("It takes effect at {time}, and can be called off until then: fieldkeep-admin cancel {device}")
    )
    return told.format(time=telling.when(order.not_before), device=shlex.quote(order.device))


VERBS: Final[dict[str, Callable[[argparse.Namespace, Office], int]]] = {
    "orders": listed,
    LOCK: lock_or_unlock,
    UNLOCK: lock_or_unlock,
    WIPE: wipe,
    CANCEL: cancel,
}
