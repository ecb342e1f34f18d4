"""The verb `doctor` of the server: whether a backup holds what devices gave, and how long the certificate lasts."""

from __future__ import annotations

import argparse
import datetime as dt
from typing import Final

import msgspec

from sync.compose import office_socket, telling
from sync.protocol.desk import SafetyView
from sync.protocol.errors import KnownError
from sync.protocol.texts import gettext as _
from sync.protocol.trust import DAY_MS
from sync.server import config, tls
from sync.server.config import Folders
from sync.server.office import StoreOffice
from sync.server.service import system_now

BACKUP_DAYS: Final = 2  # a daily backup that failed once


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What was looked at, whether it is well, and what to do where it is not."""

    name: str
    well: bool
    text: str
    hint: str = ""


def doctor(asked: argparse.Namespace) -> int:
    """Tell how the server stands; 1 where something is not well."""
    folders, _settings = config.load(asked.data, asked.secrets)
    found = [backed(_safety(folders), system_now()), _certificate(folders)]
    if asked.json:
        telling.document({"well": all(each.well for each in found), "findings": found})
    else:
        for each in found:
            telling.say(("✓ " if each.well else "! ") + each.text)
            if each.hint:
                telling.say("  " + each.hint)
    return int(not all(each.well for each in found))


def backed(view: SafetyView, now: int) -> Finding:
    """Whether the newest verified backup is recent, where there is anything that it does not hold."""
    hint = _("Make one: fieldkeep-server backup FILE --data DIR --secrets DIR")
    if not view.made:
        well = view.head == 0
        return Finding(
            name="backup", well=well, text=_("No backup was ever made."), hint="" if well else hint
        )
    days = max(0, now - view.made) // DAY_MS
    text = _("Last verified backup: {when}. Changes since: {count}.").format(
        when=telling.when(view.made), count=view.since
    )
    well = view.since == 0 or days < BACKUP_DAYS
    return Finding(name="backup", well=well, text=text, hint="" if well else hint)


def _safety(folders: Folders) -> SafetyView:
    try:
        with office_socket.connect(folders.socket) as office:
            return office.safety()
    except office_socket.Unreachable:
        pass
    with config.alone(folders):
        store = config.open_store(folders)
        try:
            return StoreOffice(store, config.read_lease_key(folders.lease_key), "").safety()
        finally:
            store.close()


def _certificate(folders: Folders) -> Finding:
    try:
        left = tls.days_left(folders.tls_certificate.read_bytes(), dt.datetime.now(dt.UTC))
    except (OSError, ValueError):
        raise KnownError(
            _("The server's certificate or its key is missing or damaged."),
            _("Name the secrets folder that “init” made, or put it back from its copy."),
        ) from None
    well = left >= tls.WARN_DAYS
    return Finding(
        name="certificate",
        well=well,
        text=_("Days for which the server's certificate still holds: {days}.").format(days=left),
        hint="" if well else _("Renew it: see docs/server.md"),
    )
