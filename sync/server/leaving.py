"""What stays to be done when somebody has left: the keys with which the person may still sign wipes."""

from __future__ import annotations

from collections.abc import Sequence

from sync.protocol import documents, signing
from sync.protocol.desk import DeviceView, Left, RootAdmin
from sync.protocol.documents import Admin, Root
from sync.protocol.roles import IT
from sync.server import belonging, console_keys
from sync.server.access import fold_email
from sync.server.db.base import Transaction
from sync.server.db.kept import Person


def admins_of(tx: Transaction, person: Person) -> list[RootAdmin]:
    """Under which names the root lets this person sign, as far as the account of the console or a label says so."""
    root = documents.parse(signing.open_envelope(tx.post.newest(Root.TYPE)[1], Root.TYPE).payload, Root)
    account = tx.consoles.account_of(person.id)
    found = []
    for admin in root.admins:
        sure = account is not None and account.admin_id == admin.admin_id
        if sure or _labelled(admin, person):
            labels = [each.label for each in admin.credentials if each.label]
            found.append(RootAdmin(id=admin.admin_id, labels=list(dict.fromkeys(labels)), sure=sure))
    return found


def _labelled(admin: Admin, person: Person) -> bool:
    """Whether a key is labelled with the person's address, or with what stands before its @."""
    folded = fold_email(person.email)
    labels = [fold_email(each.label) for each in admin.credentials]
    return any(each == folded.partition("@")[0] or folded in each for each in labels)


def finish(tx: Transaction, person: Person, to: Person | None, now: int) -> int:
    """Give the records to somebody else, and close the account of the console; how many records."""
    records = belonging.hand_over(tx, person, to, now)
    if tx.consoles.account_of(person.id) is not None:
        console_keys.close(tx, person.email, now)
    return records


def told(
    person: Person,
    to: Person | None,
    records: int,
    devices: Sequence[DeviceView],
    admins: Sequence[RootAdmin],
) -> Left:
    """What is said of somebody who has left."""
    return Left(
        person=person.email,
        heir=to.email if to is not None else "",
        records=records,
        devices=[*devices],
        admins=[*admins],
        signs=person.role == IT and not any(each.sure for each in admins),
    )
