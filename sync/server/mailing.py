"""Tells every admin by mail of what wipes, calls a wipe off, or changes who may: as the audit table says it.

A mail carries no name of a person, a device or a customer, and no reason: what, when, and where to look. How far the
table was told is kept beside the store, so nothing is told twice by a restart, and nothing is missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import smtplib
import ssl
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Final, Protocol

import msgspec

from sync.protocol.documents import CANCEL, WIPE
from sync.protocol.roles import IT
from sync.protocol.texts import gettext as _
from sync.server import logs
from sync.server.config import PRIVATE_FILE, Folders, Mail
from sync.server.db.base import Store
from sync.server.db.kept import AuditLine
from sync.server.errors import SetupError

LOOK_S: Final = 5.0
SLOW_S: Final = 300.0  # after a mail that did not go
WAIT_S: Final = 20.0
AT_ONCE: Final = 200  # lines that are looked at in one go
TOLD: Final = (WIPE, CANCEL, "root", "policy", "receipt, called off too late")
_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


class Carrier(Protocol):
    """Who carries mail."""

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand over one mail. Raises OSError, smtplib.SMTPException."""


class Smtp:
    """A mail server that is spoken to by TLS; in clear only on this very machine."""

    def __init__(self, mail: Mail, folders: Folders) -> None:
        self._mail = mail
        self._folders = folders

    def send(self, to: str, subject: str, text: str) -> None:
        """Hand over one mail, on a connection of its own. Raises OSError, smtplib.SMTPException."""
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = subject, self._mail.sender, to
        message["Date"] = dt.datetime.now(dt.UTC)
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        with self._connected() as line:
            if self._mail.user:
                line.login(self._mail.user, _password(self._folders))
            line.send_message(message)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[smtplib.SMTP]:
        mail = self._mail
        if mail.security == "tls":
            with smtplib.SMTP_SSL(mail.host, mail.port, timeout=WAIT_S, context=self._trust()) as line:
                yield line
            return
        with smtplib.SMTP(mail.host, mail.port, timeout=WAIT_S) as line:
            if mail.security == "starttls":
                line.starttls(context=self._trust())
            yield line

    def _trust(self) -> ssl.SSLContext:
        """Certificates that the system trusts, or the one authority that somebody has put into the secrets folder."""
        own = self._folders.mail_authority
        return ssl.create_default_context(cafile=str(own) if own.exists() else None)


def refuse_unsafe(mail: Mail) -> None:
    """Refuse mail in clear over a network, and addresses that are none. Raises SetupError."""
    if mail.security == "none" and mail.host not in _LOOPBACK:
        raise SetupError(
            _("Mail would go in clear over the network."), _("Take --security tls, or starttls on port 587.")
        )
    if mail.security not in ("tls", "starttls", "none") or not 0 < mail.port < 65_536 or not mail.host:
        raise SetupError(_("This is not the address of a mail server."), _("Give --host and --port."))
    if mail.sender.count("@") != 1 or any(c.isspace() for c in mail.sender):
        raise SetupError(
            _("This is not an e-mail address."), _("Give the one that mails come from: --sender")
        )


def due(store: Store, told: int) -> list[tuple[int, AuditLine]]:
    """The lines after number `told` that admins are to hear of, oldest first."""
    with store.read() as tx:
        newest = tx.consoles.audit_before(2**62, AT_ONCE, "")
    return [(n, line) for n, line in reversed(newest) if n > told and line.verb in TOLD]


def admins(store: Store) -> list[str]:
    """Whom an alarm goes to: everybody who may act."""
    with store.read() as tx:
        return sorted(person.email for person in tx.people.persons() if person.role == IT and not person.gone)


def written(line: AuditLine, where: str) -> tuple[str, str]:
    """Subject and text of the mail about a line; `where` is the console's address, "" for none."""
    what = {
        WIPE: _("A wipe was ordered"),
        CANCEL: _("A wipe was called off"),
        "root": _("The root was changed: who may order what"),
        "policy": _("The policy was changed"),
    }.get(line.verb, _("A wipe was called off too late"))
    at = dt.datetime.fromtimestamp(line.at / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    look = (
        _("Look at it: {url}").format(url=f"{where}/audit")
        if where
        else _("Look at it: fieldkeep-admin audit list")
    )
    parts = [
        f"{what}, {at}.",
        look,
        _("If none of you did this, act now: call a wipe off with fieldkeep-admin cancel."),
    ]
    return f"Fieldkeep: {what}", "\n\n".join(parts) + "\n"


def tell(store: Store, carrier: Carrier, mark: Path, where: str) -> int:
    """Tell all admins of all that they were not told of yet; how many mails went. Raises OSError, SMTPException.

    The mark moves once every admin has been written to, so after a failure somebody may get one mail twice.
    """
    told, sent = read_mark(mark), 0
    if told is None:
        write_mark(mark, _newest(store))  # from today on, not the whole of the past
        return 0
    for n, line in due(store, told):
        subject, text = written(line, where)
        for to in admins(store):
            carrier.send(to, subject, text)
            sent += 1
        write_mark(mark, n)
    return sent


async def keep_telling(store: Store, carrier: Carrier, mark: Path, where: Callable[[], str]) -> None:
    """Look again and again, for as long as the server runs; a mail server that is away holds up nothing."""
    while True:
        pause = LOOK_S
        try:
            if sent := await asyncio.to_thread(tell, store, carrier, mark, where()):
                logs.note("mailed", count=sent)
        except (OSError, smtplib.SMTPException, ValueError) as problem:
            logs.alarm("mail", problem=type(problem).__name__)
            pause = SLOW_S
        await asyncio.sleep(pause)


def read_mark(mark: Path) -> int | None:
    """Up to which line admins were told, None where they never were."""
    try:
        return int(json.loads(mark.read_text(encoding="ascii"))["told"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_mark(mark: Path, told: int) -> None:
    """Keep it, whole or not at all. Raises OSError."""
    beside = mark.with_name(mark.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode({"told": told}) + b"\n")
    beside.replace(mark)


def _newest(store: Store) -> int:
    with store.read() as tx:
        newest = tx.consoles.audit_before(2**62, 1, "")
    return newest[0][0] if newest else 0


def _password(folders: Folders) -> str:
    try:
        return folders.mail_password.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
