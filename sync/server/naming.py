"""Names in the place of ids, for people who read the audit table and orders: whose a key is, which device is meant."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from sync.protocol import documents, signing
from sync.protocol.consoles import Line, person_of
from sync.protocol.desk import OrderView
from sync.protocol.documents import Root
from sync.server.db.base import Transaction
from sync.server.db.kept import AuditLine


def admins(tx: Transaction) -> dict[str, str]:
    """Admins by the id under which a root names them: the address, where it is known, else the labels of the keys.

    Those whom the root names no longer are among them: what they signed still stands there.
    """
    found: dict[str, str] = {}
    for number in range(tx.post.newest(Root.TYPE)[0], 0, -1):
        envelope = tx.post.document(Root.TYPE, number)
        if envelope is None:
            continue
        root = documents.parse(signing.open_envelope(envelope, Root.TYPE).payload, Root)
        for admin in root.admins:
            labels = ", ".join(dict.fromkeys(each.label for each in admin.credentials if each.label))
            if labels:
                found.setdefault(admin.admin_id, f"{labels} ({admin.admin_id[:8]})")
    return {**found, **{each.admin_id: each.email for each in tx.consoles.accounts() if each.admin_id}}


def signed(order: OrderView, names: dict[str, str]) -> OrderView:
    """The order with the names of those who signed it, where they are known."""
    return msgspec.structs.replace(order, signers=[names.get(each, each) for each in order.signers])


def lines(tx: Transaction, found: list[tuple[int, AuditLine]]) -> list[Line]:
    """Lines of the audit table with their names."""
    people = {person.id.hex(): person.email for person in tx.people.persons()}
    devices = {device.enrolment: device.name for device in tx.people.devices()}
    names = {**admins(tx), **people, **devices}
    ordered: dict[str, dict[str, str]] = defaultdict(dict)  # an order may be for several devices
    for order in tx.post.orders():
        ordered[order.order_id][order.enrolment] = devices.get(order.enrolment, "")
    told = []
    for n, line in found:
        of = ordered.get(line.object, {})
        # What a device says of an order, it says of itself.
        what = names.get(line.object) or of.get(line.actor) or ", ".join(filter(None, of.values()))
        who = ", ".join(names.get(each, each) for each in person_of(line.actor).split(" "))
        told.append(
            Line(
                n=n,
                at=line.at,
                actor=line.actor,
                verb=line.verb,
                object=line.object,
                who="" if who == person_of(line.actor) else who,
                what=what,
            )
        )
    return told
