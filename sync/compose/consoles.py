"""The verbs of `fieldkeep-admin console`: who may sign in at the web console, and whose passkey signs wipes there."""

from __future__ import annotations

import argparse
import base64
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from sync.compose import hints, telling
from sync.console import desk, keyfile, passphrase
from sync.console.ports import Office
from sync.protocol import documents, signing
from sync.protocol.consoles import AccountView, OrderKey
from sync.protocol.documents import Admin, Credential, Root, Site
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _

ROOT_KEY: Final = "root.key"
DIGITS_MIN: Final = 8
_ADMIN_BYTES: Final = 8


def invite(asked: argparse.Namespace, office: Office) -> int:
    """An address at which somebody sets up an account."""
    telling.once("url", office.console_invite(asked.email), as_json=asked.json)
    return 0


def listed(asked: argparse.Namespace, office: Office) -> int:
    """Who signs in at the console by what, every passkey for orders, and whether the root names it."""
    named = {credential.spki for admin in _root(office).admins for credential in admin.credentials}
    accounts, keys = office.console_accounts(), office.console_keys()
    if asked.json:
        told = [
            {"person": each.email, "label": each.label, "sha256": signing.keyid(each.spki),
             "made": telling.when(each.made), "admin": each.admin_id, "root": each.spki in named}
            for each in keys
        ]  # fmt: skip
        telling.document({"accounts": [_account_json(each) for each in accounts], "passkeys": told})
        return 0
    telling.table(
        [_("person"), _("role"), _("signs in by"), _("passkeys for wipes")],
        [[each.person, each.role, _signs_in(each), str(each.orders)] for each in accounts],
        hints.filled(
            _("Nobody may sign in at the console yet. Invite somebody: fieldkeep-admin console invite EMAIL")
        ),
    )
    rows = [
        [each.email, each.label, signing.keyid(each.spki), _("yes") if each.spki in named else _("no")]
        for each in keys
    ]
    if rows:
        telling.say("")
    telling.table(
        [_("person"), _("passkey for wipes"), "SHA-256", _("in the root")],
        rows,
        _("Nobody has registered a passkey for wipes."),
    )
    return 0


def _signs_in(account: AccountView) -> str:
    """What somebody signs in by, or how far the account is."""
    texts = {"password": _("password and number"), "passkey": _("passkey")}
    ways = [texts.get(way, way) for way in account.ways]
    if account.invited:
        ways.append(_("invited until {at}").format(at=telling.when(account.invited)))
    return ", ".join(ways) or _("nothing: closed, or the invitation has ended")


def _account_json(account: AccountView) -> dict[str, object]:
    return {**msgspec.structs.asdict(account), "invited": telling.when(account.invited)}


def grant(asked: argparse.Namespace, office: Office) -> int:
    """Name a registered passkey in the next root."""
    keys = _folder(asked)
    key = _chosen(office, asked.email, asked.key)
    site, root = office.console_site(), _root(office)
    if any(key.spki == each.spki for admin in root.admins for each in admin.credentials):
        raise KnownError(_("The root names this passkey already."), _("See: fieldkeep-admin console list"))
    admin_id = key.admin_id or (
        secrets.token_hex(_ADMIN_BYTES)
        if asked.another_admin
        else desk.order_key(office, keys, passphrase.known).admin_id
    )
    entered = Credential(
        alg=signing.WEBAUTHN,
        spki=key.spki,
        label=key.label,
        credential_id=base64.urlsafe_b64encode(key.credential).rstrip(b"=").decode(),
        backup_eligible=key.synced,
    )
    admins = [
        msgspec.structs.replace(admin, credentials=[*admin.credentials, entered])
        if admin.admin_id == admin_id
        else admin
        for admin in root.admins
    ]
    if admin_id not in {admin.admin_id for admin in root.admins}:
        admins.append(Admin(admin_id=admin_id, credentials=[entered]))
    where = Site(rp_id=site.rp_id, origins=[site.origin])
    following = msgspec.structs.replace(root, version=root.version + 1, admins=admins, console=where)
    _file(office, keys, following, key.credential, admin_id)
    if asked.json:
        telling.document({"root": following.version, "admin": admin_id})
    else:
        telling.say(
            _(
                "The root, version {n}, names this passkey of {email}. Devices take it in at their next contact."
            ).format(n=following.version, email=key.email)
        )
    return 0


def revoke(asked: argparse.Namespace, office: Office) -> int:
    """Close an account, and take its passkeys out of the root."""
    mine = {
        key.spki for key in office.console_keys() if key.email.casefold() == asked.email.strip().casefold()
    }
    root = _root(office)
    named = any(each.spki in mine for admin in root.admins for each in admin.credentials)
    version = 0
    if named:
        admins = [
            msgspec.structs.replace(admin, credentials=[c for c in admin.credentials if c.spki not in mine])
            for admin in root.admins
        ]
        following = msgspec.structs.replace(
            root, version=root.version + 1, admins=[admin for admin in admins if admin.credentials]
        )
        _file(office, _folder(asked), following, b"", "")
        version = following.version
    office.console_revoke(asked.email)
    if asked.json:
        telling.document({"root": version or None})
    else:
        telling.say(_("{email} cannot sign in at the console any more.").format(email=asked.email.strip()))
        if version:
            telling.say(
                _("The root, version {n}, names no passkey of this person. Devices take it in at their next contact.")
                .format(n=version)
            )  # fmt: skip
    return 0


VERBS: Final[dict[str, Callable[[argparse.Namespace, Office], int]]] = {
    "console invite": invite,
    "console list": listed,
    "console grant": grant,
    "console revoke": revoke,
}


def _root(office: Office) -> Root:
    return documents.parse(signing.open_envelope(office.root(), Root.TYPE).payload, Root)


def _folder(asked: argparse.Namespace) -> Path:
    if not asked.keys:
        raise KnownError(
            _("The root is signed with the organisation's root key."),
            _("Name the folder that holds it: --keys DIR"),
        )
    return Path(asked.keys)


def _chosen(office: Office, email: str, digits: str) -> OrderKey:
    """The one registered passkey of this person with these digits. Raises KnownError."""
    wanted = "".join(digits.split()).lower()
    if len(wanted) < DIGITS_MIN:
        raise KnownError(_("These are too few digits."), _("Give {n} or more.").format(n=DIGITS_MIN))
    found = [
        key
        for key in office.console_keys()
        if key.email.casefold() == email.strip().casefold() and signing.keyid(key.spki).startswith(wanted)
    ]
    if len(found) != 1:
        raise KnownError(
            _("This person has registered no passkey with these digits."),
            _("See: fieldkeep-admin console list"),
        )
    return found[0]


def _file(office: Office, keys: Path, following: Root, credential: bytes, admin_id: str) -> None:
    key = keyfile.read(keys / ROOT_KEY, passphrase.known).signing
    office.put_root(signing.sign(following, ("", key)).to_bytes(), credential, admin_id)
