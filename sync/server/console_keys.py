"""Passkeys for orders: those that were registered at the console, and the next root that names one of them."""

from __future__ import annotations

import msgspec

from sync.protocol import documents, signing, trust
from sync.protocol.consoles import ORDER, Account, OrderKey
from sync.protocol.documents import Root
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.server import post
from sync.server.db.base import Transaction
from sync.server.db.kept import CONSOLE_REVOKE, AuditLine


def registered(tx: Transaction) -> list[OrderKey]:
    """Every passkey for orders, with whose it is."""
    return [
        OrderKey(
            email=account.email,
            admin_id=account.admin_id,
            credential=each.id,
            spki=each.public,
            label=each.label,
            synced=each.synced,
            made=each.made,
        )
        for account in tx.consoles.accounts()
        for each in tx.consoles.passkeys(account.id)
        if each.purpose == ORDER
    ]


def put_root(tx: Transaction, envelope: bytes, credential: bytes, admin_id: str, now: int) -> None:
    """Take in the next root; `credential` is the passkey that it newly names, b"" where it names none.

    Raises KnownError, Refused.
    """
    root, _policy = post.root_and_policy(tx)
    following = trust.next_root(root, envelope, now)
    if following.version == root.version:
        return
    account = _owner(tx, credential) if credential else None
    if account is not None:
        other = tx.consoles.accounts()
        if any(each.admin_id == admin_id and each.id != account.id for each in other):
            raise KnownError(
                _("Keys of somebody else stand under this name in the root."),
                _("Say that it is another admin."),
            )
        tx.consoles.put_account(msgspec.structs.replace(account, admin_id=admin_id))
    digest = documents.digest(signing.open_envelope(envelope, Root.TYPE).payload)
    line = AuditLine(at=now, actor="desk", verb="root", object=f"root {following.version}", digest=digest)
    tx.post.audit(line)
    tx.post.put_document(Root.TYPE, following.version, envelope)


def _owner(tx: Transaction, credential: bytes) -> Account:
    passkey = tx.consoles.passkey(credential)
    account = tx.consoles.account(passkey.account) if passkey and passkey.purpose == ORDER else None
    if account is None:
        raise KnownError(_("There is no such passkey any more."), _("See: fieldkeep-admin console list"))
    return account


def close(tx: Transaction, email: str, now: int) -> None:
    """Close an account of the console: no password, no passkey, no invitation, no visit. Raises KnownError."""
    person = tx.people.by_email(email)
    account = tx.consoles.account_of(person.id) if person else None
    if person is None or account is None:
        raise KnownError(_("Nobody has an account of the console with this address."))
    for visit in tx.consoles.visits(account.id):
        tx.consoles.drop_visit(visit.digest)
    for passkey in tx.consoles.passkeys(account.id):
        tx.consoles.drop_passkey(passkey.id)
    closed = msgspec.structs.replace(account, password="", totp=b"", invite=b"", invite_ends=0)
    tx.consoles.put_account(closed)
    tx.post.audit(AuditLine(at=now, actor="desk", verb=CONSOLE_REVOKE, object=person.id.hex()))
