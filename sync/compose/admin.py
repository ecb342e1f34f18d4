"""The command `fieldkeep-admin`: people, enrolment codes, devices, orders, and the return of unsent work."""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from sync.compose import office_socket
from sync.console import desk, passphrase
from sync.console.ports import Office
from sync.protocol import texts
from sync.protocol.desk import DeviceView, OrderView
from sync.protocol.documents import LOCK, UNLOCK, WIPE
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.version import APP_VERSION
from sync.server import access, config
from sync.server.errors import SetupError
from sync.server.office import StoreOffice

OFFLINE: Final = 5
_POLL_S: Final = 0.3
_STARTING_S: Final = 5.0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; 0 done, 1 refused or failed, 2 wrong use, 5 no server where one is needed."""
    texts.use(None)
    os.umask(0o077)
    # The switch is taken anywhere, so no parser may set its default: a later one would undo an earlier yes.
    asked = _parser().parse_args(argv, argparse.Namespace(json=False))
    verb: Callable[[argparse.Namespace, Office], int] = asked.run
    try:
        with _office(asked.data) as office:
            return verb(asked, office)
    except office_socket.Unreachable as error:
        print(error, file=sys.stderr)
        return OFFLINE
    except KnownError as error:
        print(error, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=_("print JSON"))
    parser = argparse.ArgumentParser(
        prog="fieldkeep-admin", description=_("People, devices and orders of Fieldkeep."), parents=[common]
    )
    parser.add_argument("--version", action="version", version=APP_VERSION)
    parser.add_argument("--data", type=Path, required=True, help=_("the server's data folder"))
    parser.add_argument("--keys", type=Path, help=_("folder with your own keys"))
    verbs = parser.add_subparsers(dest="verb", required=True)

    def add(name: str, run: Callable[..., int], text: str, among: Any = verbs) -> argparse.ArgumentParser:
        verb: argparse.ArgumentParser = among.add_parser(name, help=text, parents=[common])
        verb.set_defaults(run=run)
        return verb

    person = verbs.add_parser("person", help=_("who has an account"), parents=[common])
    people = person.add_subparsers(dest="person_verb", required=True)
    new = add("add", _person_add, _("give somebody an account, or change it"), people)
    new.add_argument("email")
    new.add_argument("--role", required=True, choices=access.ROLES)
    new.add_argument("--team", required=True, help=_("a path: Sales/East is below Sales"))
    new.add_argument("--territory", default="")
    add("list", _person_list, _("everyone with an account"), people)
    add("enrol-code", _enrol_code, _("a one-use code for a person's next device")).add_argument("email")
    add("devices", _devices, _("every device and how it stands"))
    add("orders", _orders, _("every order and what became of it"))
    for name, text in ((LOCK, _("lock a device")), (UNLOCK, _("unlock a device"))):
        verb = add(name, _lock_or_unlock, text)
        verb.add_argument("device")
        verb.add_argument("--reason", default="")
    wipe = add(WIPE, _wipe, _("destroy the keys of a device, for good"))
    wipe.add_argument("device")
    wipe.add_argument("--reason", required=True)
    wipe.add_argument("--wait", type=float, metavar="SECONDS", help=_("wait for the verified receipt"))
    back = add("recover", _recover, _("give the unsent work of a wiped device to another device"))
    back.add_argument("device")
    back.add_argument("--to", required=True, metavar="DEVICE")
    return parser


@contextlib.contextmanager
def _office(data: Path) -> Iterator[Office]:
    """The office of the running server, else the store opened here. Raises SetupError, Unreachable."""
    folders, settings = config.load(data)
    with contextlib.ExitStack() as held:
        remote = _running(folders, held)
        if remote is not None:
            yield remote
            return
        store = config.open_store(folders)
        held.callback(store.close)
        url = config.url_of(settings.host, settings.port) if settings.port else ""
        yield StoreOffice(store, config.read_lease_key(folders.lease_key), url)


def _running(folders: config.Folders, held: contextlib.ExitStack) -> Office | None:
    """The office of the running server; None when there is none and this process holds the store's lock now."""
    deadline, pause = time.monotonic() + _STARTING_S, threading.Event()
    while True:
        try:
            return held.enter_context(office_socket.connect(folders.socket))
        except office_socket.Unreachable as unreachable:
            try:
                held.enter_context(config.alone(folders))
            except SetupError:
                # Somebody holds the store: a server that is about to answer, or one that will not.
                if time.monotonic() >= deadline:
                    raise unreachable from None
            else:
                return None
        pause.wait(_POLL_S)


def _person_add(asked: argparse.Namespace, office: Office) -> int:
    person = office.add_person(asked.email, asked.role, asked.team, asked.territory)
    if asked.json:
        _print_json(person)
    elif person.news == "added":
        print(_("{email} has an account now: {role}.").format(email=person.email, role=person.role))
    elif person.news:
        print(_("The account of {email} is changed: {role}.").format(email=person.email, role=person.role))
    else:
        print(_("{email} has this account already.").format(email=person.email))
    return 0


def _person_list(asked: argparse.Namespace, office: Office) -> int:
    people = office.people()
    if asked.json:
        _print_json(people)
    else:
        _print_table([[p.email, p.role, p.team, p.territory, str(p.devices)] for p in people])
    return 0


def _enrol_code(asked: argparse.Namespace, office: Office) -> int:
    if isinstance(office, StoreOffice) and not office.url:
        raise office_socket.Unreachable(
            _("A code names the server's address, and no server is running."),
            _("Start it with: fieldkeep-server serve"),
        )
    code = office.enrol_code(asked.email)
    if asked.json:
        _print_json({"code": code})
    else:
        print(code)
        print(_("It works once, within 24 hours. Give it to the person by a way you trust."), file=sys.stderr)
    return 0


def _devices(asked: argparse.Namespace, office: Office) -> int:
    devices = office.devices()
    if asked.json:
        _print_json([_device_json(device) for device in devices])
        return 0
    rows = []
    for each in devices:
        state = f"{each.state} ({each.pending}…)" if each.pending and each.state != "wiping" else each.state
        rows.append([each.name, each.id, each.person, state, _when(each.last_seen) or "–", each.receipt])
    _print_table(rows)
    return 0


def _orders(asked: argparse.Namespace, office: Office) -> int:
    orders = office.orders()
    if asked.json:
        _print_json([_order_json(order) for order in orders])
    else:
        _print_table(
            [[str(o.number), o.op, o.device, o.state, _when(o.filed) or "", o.reason] for o in orders]
        )
    return 0


def _lock_or_unlock(asked: argparse.Namespace, office: Office) -> int:
    device = desk.find(office.devices(), asked.device)
    if asked.keys:
        filed = desk.sign_order(office, asked.keys, passphrase.known, asked.verb, device, asked.reason)
    else:
        filed = office.sign_here(asked.verb, device.enrolment, asked.reason)
    _tell_filed(asked, filed)
    return 0


def _wipe(asked: argparse.Namespace, office: Office) -> int:
    device = desk.find(office.devices(), asked.device)
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
        else:
            print(_("“{name}” is ordered to be wiped already.").format(name=device.name))
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
        _print_json(_device_json(now))
    elif verified:
        print(_("“{name}” is wiped; its receipt is verified.").format(name=device.name))
    if not verified:
        print(
            _("No receipt yet from “{name}”. The order stands until the device comes.").format(
                name=device.name
            ),
            file=sys.stderr,
        )
    return 0 if verified else 1


def _recover(asked: argparse.Namespace, office: Office) -> int:
    if not asked.keys:
        raise KnownError(
            _("Unsent work opens with the recovery key alone."),
            _("Name the folder that holds it: --keys DIR"),
        )
    devices = office.devices()
    source, target = desk.find(devices, asked.device, wiped=True), desk.find(devices, asked.to)
    found, fresh = desk.recover(office, asked.keys, passphrase.known, source, target)
    if asked.json:
        _print_json({"device": source.id, "to": target.id, "changes": found, "handed_over": fresh})
        return 0
    text = texts.ngettext(
        "{n} change of “{source}” ({owner}) goes to “{target}” ({heir}); {fresh} not handed over before.",
        "{n} changes of “{source}” ({owner}) go to “{target}” ({heir}); {fresh} not handed over before.",
        found,
    )
    print(
        text.format(
            n=found,
            source=source.name,
            owner=source.person,
            target=target.name,
            heir=target.person,
            fresh=fresh,
        )
    )
    return 0


def _tell_filed(asked: argparse.Namespace, filed: Sequence[OrderView]) -> None:
    if asked.json:
        _print_json(_order_json(filed[0]))
        return
    for order in filed:
        print(
            _("Order {number} is filed: {op} “{device}”. It is obeyed at the device's next contact.").format(
                number=order.number, op=order.op, device=order.device
            )
        )


def _device_json(device: DeviceView) -> dict[str, Any]:
    return {**msgspec.structs.asdict(device), "last_seen": _when(device.last_seen)}


def _order_json(order: OrderView) -> dict[str, Any]:
    times = {name: _when(getattr(order, name)) for name in ("filed", "reported", "expires")}
    return {**msgspec.structs.asdict(order), **times}


def _when(at: int) -> str | None:
    """A time in ISO form, None for never."""
    if not at:
        return None
    return dt.datetime.fromtimestamp(at / 1000, dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _print_json(value: Any) -> None:
    print(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def _print_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))] if rows else []
    for row in rows:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
