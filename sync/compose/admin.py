"""The command `fieldkeep-admin`: people, enrolment codes, devices, orders, refused changes, return of unsent work."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from sync.compose import (
    admin_arguments,
    consoles,
    hints,
    holds,
    office_socket,
    offices,
    people,
    policies,
    refused_rows,
    rows_of,
    telling,
)  # fmt: skip
from sync.console import desk, passphrase, recovery, refusals
from sync.console.ports import Office
from sync.protocol import texts
from sync.protocol.desk import DeviceView, OrderView, RefusedView
from sync.protocol.documents import LOCK, UNLOCK, WIPE
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server.office import StoreOffice

OFFLINE: Final = 5
_POLL_S: Final = 0.3


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 refused or failed, 2 wrong use, 5 no server where one is needed."""
    texts.use(None)
    os.umask(0o077)
    # The switch is taken anywhere, so no parser may set its default: a later one would undo an earlier yes.
    parser = _parser()
    asked = parser.parse_args(argv, argparse.Namespace(json=False))
    if asked.data is None and not asked.offline:
        parser.error(_("the server's data folder is needed: --data DIR"))
    hints.under(asked.data, keys=asked.keys)
    return telling.to_the_end(lambda: _run(asked))


def _run(asked: argparse.Namespace) -> int:
    if asked.offline:
        alone: Callable[[argparse.Namespace], int] = asked.run
        return alone(asked)
    verb: Callable[[argparse.Namespace, Office], int] = asked.run
    try:
        with offices.open_at(asked.data) as office:
            return verb(asked, office)
    except office_socket.Unreachable as error:
        telling.problem(error)
        return OFFLINE


def _parser() -> argparse.ArgumentParser:
    return admin_arguments.parser(
        {
            "person add": people.add,
            "person list": people.listed,
            "team move": people.move_team,
            "territory list": people.territories,
            "territory grant": people.grant_territory,
            "territory revoke": people.revoke_territory,
            "territory move": people.move_territory,
            "holds": holds.run,
            **consoles.VERBS,
            **policies.VERBS,
            "enrol-code": _enrol_code,
            "devices": _devices,
            "orders": _orders,
            LOCK: _lock_or_unlock,
            UNLOCK: _lock_or_unlock,
            WIPE: _wipe,
            "recover": _recover,
            "refused": _refused,
            **policies.OFFLINE,
        },
        (*policies.OFFLINE,),
    )


def _enrol_code(asked: argparse.Namespace, office: Office) -> int:
    if isinstance(office, StoreOffice) and not office.url:
        raise office_socket.Unreachable(
            _("A code names the server's address, and no server is running."),
            _("Start it with: fieldkeep-server serve"),
        )
    code = office.enrol_code(asked.email)
    telling.once("code", code, as_json=asked.json)
    return 0


def _devices(asked: argparse.Namespace, office: Office) -> int:
    devices = office.devices()
    if asked.json:
        telling.document([rows_of.device_json(device) for device in devices])
        return 0
    rows = []
    for each in devices:
        state = f"{each.state} ({each.pending}…)" if _tells(each) else each.state
        if not each.confirmed:
            state = _("{state}, may hold what left").format(state=state)
        if each.held_back:
            state = _("{state}, holds back {n}").format(state=state, n=each.held_back)
        state += policies.beside(each)
        if each.pin_locked:
            state = _("{state}, waits for an unlock (PIN)").format(state=state)
        seen = telling.when(each.last_seen) or "–"
        rows.append([each.name, each.id, each.person, state, seen, each.receipt])
    telling.table(
        [_("device"), _("id"), _("person"), _("state"), _("last seen"), _("receipt")],
        rows,
        hints.filled(_("No device is enrolled yet. Give somebody a code: fieldkeep-admin enrol-code EMAIL")),
    )
    return 0


def _orders(asked: argparse.Namespace, office: Office) -> int:
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


def _tells(device: DeviceView) -> bool:
    """Whether its order is said beside its state: a wipe that is under way says so already, a refused one does not."""
    return bool(device.pending) and (device.state != "wiping" or "refused" in device.pending)


def _lock_or_unlock(asked: argparse.Namespace, office: Office) -> int:
    device = desk.find(office.devices(), asked.device)
    if device.state in ("wiping", "wiped"):
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
    if asked.keys:
        filed = desk.sign_order(office, asked.keys, passphrase.known, asked.verb, device, asked.reason)
    else:
        filed = office.sign_here(asked.verb, device.enrolment, asked.reason)
    _tell_filed(asked, filed)
    return 0


def _wipe(asked: argparse.Namespace, office: Office) -> int:
    device = desk.find(office.devices(), asked.device)
    if device.state == "wiped":
        raise KnownError(
            _("“{name}” is wiped already.").format(name=device.name), _("See: fieldkeep-admin devices")
        )
    if not asked.keys:
        raise KnownError(
            _("A wipe is signed with a key of your own; the server has none."),
            _("Name the folder with your order keys: --keys DIR"),
        )
    filed: list[OrderView] = []
    if device.state != "wiping":
        filed = desk.sign_order(office, asked.keys, passphrase.known, WIPE, device, asked.reason)
    if asked.wait is None:
        if filed:
            _tell_filed(asked, filed)
            return 0
        if asked.json:
            wipes = (each for each in office.orders() if each.op == WIPE)
            filed = [each for each in wipes if each.enrolment == device.enrolment]
            telling.document(rows_of.order_json(filed[-1]))
        else:
            telling.say(_("“{name}” is ordered to be wiped already.").format(name=device.name))
        return 0
    if isinstance(office, StoreOffice):
        raise office_socket.Unreachable(
            _("The order is filed, but no server is running that could bring it to the device."),
            _("Start it with: fieldkeep-server serve"),
        )
    if filed and not asked.json:
        _tell_filed(asked, filed)
    return _wait_for_receipt(asked, office, device)


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


def _recover(asked: argparse.Namespace, office: Office) -> int:
    if not asked.keys:
        raise KnownError(
            _("Unsent work opens with the recovery key alone."),
            _("Name the folder that holds it: --keys DIR"),
        )
    target = desk.find(office.devices(), asked.to)
    return _recover_files(asked, office, target) if asked.file else _recover_device(asked, office, target)


def _recover_device(asked: argparse.Namespace, office: Office, target: DeviceView) -> int:
    source = desk.find(office.devices(), asked.device, wiped=True)
    if source.person != target.person and not asked.other_person:
        raise KnownError(
            _("“{target}” is {heir}'s, and the work is {owner}'s.").format(
                target=target.name, heir=target.person, owner=source.person
            ),
            _("Enrol a new device for the same person, or say that it is meant: --other-person"),
        )
    found, fresh = recovery.recover(
        office, asked.keys, passphrase.known, source, target, refused=asked.refused
    )
    if asked.json:
        telling.document({"device": source.id, "to": target.id, "changes": found, "handed_over": fresh})
        return 0
    kept = [] if asked.refused else office.refused(source.enrolment, sealed=False)
    said_no = sum(not each.taken for each in kept)
    if said_no:
        text = texts.ngettext(
            "{n} change of it was refused by the server. To have it judged again from there: --refused",
            "{n} changes of it were refused by the server. To have them judged again from there: --refused",
            said_no,
        )
        telling.aside(text.format(n=said_no))
    if not found:
        telling.say(
            _("The server has all the work of “{source}”; nothing is left to hand over.").format(
                source=source.name
            )
        )
        return 0
    text = texts.ngettext(
        "{n} change of “{source}” ({owner}) goes to “{target}” ({heir}): {fresh} handed over now, {before} before.",
        "{n} changes of “{source}” ({owner}) go to “{target}” ({heir}): {fresh} handed over now, {before} before.",
        found,
    )
    if source.id == target.id:
        text = texts.ngettext(
            "{n} change of “{source}” ({owner}) goes back to it: {fresh} handed over now, {before} before.",
            "{n} changes of “{source}” ({owner}) go back to it: {fresh} handed over now, {before} before.",
            found,
        )
    telling.say(
        text.format(
            n=found,
            source=source.name,
            owner=source.person,
            target=target.name,
            heir=target.person,
            fresh=fresh,
            before=found - fresh,
        )
    )
    return 0


def _recover_files(asked: argparse.Namespace, office: Office, target: DeviceView) -> int:
    found, fresh = recovery.recover_files(office, asked.keys, passphrase.known, asked.file, target)
    if asked.json:
        telling.document({"to": target.id, "changes": found, "handed_over": fresh})
        return 0
    if not found:
        telling.say(_("The server has all the work in these files; nothing is left to hand over."))
        return 0
    text = texts.ngettext(
        "{n} change goes to “{target}” ({heir}): {fresh} handed over now, {before} before.",
        "{n} changes go to “{target}” ({heir}): {fresh} handed over now, {before} before.",
        found,
    )
    telling.say(
        text.format(n=found, target=target.name, heir=target.person, fresh=fresh, before=found - fresh)
    )
    return 0


def _refused(asked: argparse.Namespace, office: Office) -> int:
    if asked.values and not asked.keys:
        raise KnownError(
            _("What was written opens with the recovery key alone."),
            _("Name the folder that holds it: --keys DIR"),
        )
    enrolment = desk.find(office.devices(), asked.device, wiped=True).enrolment if asked.device else ""
    kept: list[tuple[RefusedView, dict[str, Any]]]
    if asked.values:
        kept = refusals.opened(office, asked.keys, passphrase.known, enrolment)
    else:
        kept = [(each, {}) for each in office.refused(enrolment, sealed=False)]
    if asked.json:
        telling.document(
            [refused_rows.as_json(each, values if asked.values else None) for each, values in kept]
        )
        return 0
    heads = refused_rows.heads()
    rows = [refused_rows.row(each) for each, _values in kept]
    if not asked.values:
        telling.table(heads, rows, _("The server keeps no refused change."))
        return 0
    for row, (each, values) in zip(rows, kept, strict=True):
        telling.table(heads, [row], "")
        for line in refused_rows.written(each.kind, values):
            telling.say(f"  {line}")
    return 0


def _tell_filed(asked: argparse.Namespace, filed: Sequence[OrderView]) -> None:
    if asked.json:
        telling.document(rows_of.order_json(filed[0]))
        return
    for order in filed:
        telling.say(
            _("Order {number} is filed: {op} “{device}”. It is obeyed at the device's next contact.").format(
                number=order.number, op=order.op, device=order.device
            )
        )


if __name__ == "__main__":
    sys.exit(main())
