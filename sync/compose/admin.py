"""The command `fieldkeep-admin`: people, enrolment codes, devices, orders, refused changes, return of unsent work."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, Final

from sync.compose import (
    admin_arguments,
    audit_verbs,
    consoles,
    hints,
    holds,
    key_verbs,
    office_socket,
    offices,
    orders,
    paper_verbs,
    people,
    policies,
    refused_rows,
    roots,
    rows_of,
    telling,
)  # fmt: skip
from sync.console import desk, passphrase, recovery, refusals
from sync.console.ports import Office
from sync.protocol import codes, fingerprint, texts
from sync.protocol.desk import DeviceView, RefusedView
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server.office import StoreOffice

OFFLINE: Final = 5


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
            "person leave": people.leave,
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
            **orders.VERBS,
            **paper_verbs.VERBS,
            **paper_verbs.OFFLINE,
            **roots.VERBS,
            **audit_verbs.VERBS,
            **audit_verbs.OFFLINE,
            **key_verbs.OFFLINE,
            "recover": _recover,
            "refused": _refused,
            **policies.OFFLINE,
        },
        (*paper_verbs.OFFLINE, *policies.OFFLINE, *key_verbs.OFFLINE, *audit_verbs.OFFLINE),
    )


def _enrol_code(asked: argparse.Namespace, office: Office) -> int:
    if isinstance(office, StoreOffice) and not office.url:
        raise office_socket.Unreachable(
            _("A code names the server's address, and no server is running."),
            _("Start it with: fieldkeep-server serve"),
        )
    code = office.enrol_code(asked.email)
    words = fingerprint.words_of(codes.read(code).root_digest)
    if asked.json:
        telling.document({"code": code, "words": words})
        return 0
    telling.once("code", code, as_json=False)
    telling.aside(_("Words of the organisation, to read out to the person: {words}").format(words=words))
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
        rows.append([each.name, each.id, each.person, state, seen, each.receipt, each.enrolment])
    telling.table(
        [_("device"), _("id"), _("person"), _("state"), _("last seen"), _("receipt"), _("enrolment")],
        rows,
        hints.filled(_("No device is enrolled yet. Give somebody a code: fieldkeep-admin enrol-code EMAIL")),
    )
    return 0


def _tells(device: DeviceView) -> bool:
    """Whether its order is said beside its state: a wipe that is under way says so already, a refused one does not."""
    return bool(device.pending) and (device.state != "wiping" or "refused" in device.pending)


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


if __name__ == "__main__":
    sys.exit(main())
