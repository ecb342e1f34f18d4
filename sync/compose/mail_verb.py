"""The verb `fieldkeep-server mail`: by which mail server admins hear of what is ordered, and a mail to try it."""

from __future__ import annotations

import argparse
import contextlib
import smtplib
from typing import Any

import msgspec

from sync.compose import offices, renewing, telling
from sync.protocol.errors import KnownError
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext
from sync.server import config, mailing
from sync.server.config import Folders, Mail


def add(verbs: Any) -> argparse.ArgumentParser:
    """What may stand on the command line."""
    verb: argparse.ArgumentParser = verbs.add_parser(
        "mail", help=_("how admins are told by mail of wipes and of changes in who may order what")
    )
    verb.add_argument("--host", metavar="H", help=_("the mail server"))
    verb.add_argument("--port", type=int, default=465, metavar="N", help=_("its port"))
    ways = _("tls from the first byte, starttls, or none for a mail server on this machine")
    verb.add_argument("--security", choices=("tls", "starttls", "none"), default="tls", help=ways)
    user = _("the account there; its password stands in mail.password of the secrets folder")
    verb.add_argument("--user", default="", metavar="NAME", help=user)
    verb.add_argument("--sender", default="", metavar="EMAIL", help=_("the address that mails come from"))
    verb.add_argument("--off", action="store_true", help=_("send no mail any more"))
    verb.add_argument("--test", action="store_true", help=_("send every admin a mail now"))
    return verb


def run(asked: argparse.Namespace) -> int:
    """Settle it, try it, or say how it stands."""
    folders, settings = config.load(asked.data, asked.secrets)
    if asked.off or asked.host:
        mail = None if asked.off else _wanted(asked)
        settings = msgspec.structs.replace(settings, mail=mail)
        renewing.replace(folders.settings, msgspec.json.encode(settings) + b"\n")
    sent = _tried(folders, settings.mail) if asked.test else 0
    if asked.json:
        telling.document({"mail": settings.mail, "sent": sent})
        return 0
    if settings.mail is None:
        telling.say(_("Admins get no mail; alarms stand in the console."))
    else:
        said = _("Admins are told by mail through {host}, port {port}.")
        telling.say(said.format(host=settings.mail.host, port=settings.mail.port))
    if asked.off or asked.host:
        telling.say(_("It holds from the next start of the server on."))
    if asked.test:
        telling.say(ngettext("{n} mail went.", "{n} mails went.", sent).format(n=sent))
    return 0


def _wanted(asked: argparse.Namespace) -> Mail:
    mail = Mail(
        host=asked.host, port=asked.port, security=asked.security, user=asked.user, sender=asked.sender
    )
    mailing.refuse_unsafe(mail)
    return mail


def _tried(folders: Folders, mail: Mail | None) -> int:
    if mail is None:
        raise KnownError(_("No mail server is named."), _("Name one: --host H --sender EMAIL"))
    with contextlib.ExitStack() as held:
        office = held.enter_context(offices.open_at(folders.data))
        to = [each.email for each in office.people() if each.role == IT and not each.left]
    carrier = mailing.Smtp(mail, folders)
    try:
        for each in to:
            carrier.send(
                each, _("Fieldkeep: a mail to try it"), _("Alarms of Fieldkeep come to this address.") + "\n"
            )
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise KnownError(
            _("The mail server did not take the mail ({problem}).").format(problem=type(error).__name__),
            _("Look at host, port, --security, and mail.password in the secrets folder."),
        ) from None
    return len(to)
