"""Tells every admin by mail of what wipes, calls a wipe off, or changes who may: as the audit table says it.

A mail carries no name of a person, a device or a customer, and no reason: what, when, and where to look. How far the
table was told is kept beside the store, so nothing is told twice by a restart, and nothing is missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
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
from sync.server.db.kept import ADMIN_ADDED, ADMIN_REMOVED, CONSOLE_INVITE, CONSOLE_REVOKE, AuditLine
from sync.server.errors import SetupError

LOOK_S: Final = 5.0
SLOW_S: Final = 300.0  # after a mail that did not go
WAIT_S: Final = 20.0
AT_ONCE: Final = 200  # lines that are read in one go
OWED_MAX: Final = 200  # mails that are tried again, since the mail server would not have them for one admin
# What is told, by its verb in the audit table; the second part concerns the person whom the line names, too.
ORDERS: Final = (WIPE, CANCEL, "root", "policy", "receipt, called off too late")
OF_ADMINS: Final = (ADMIN_ADDED, ADMIN_REMOVED, CONSOLE_INVITE, CONSOLE_REVOKE)
TOLD: Final = (*ORDERS, *OF_ADMINS)
_AGAIN: Final = int(SLOW_S / LOOK_S)  # looks from one to the next at which an address is tried again
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


class Mark(msgspec.Struct, frozen=True):
    """How far admins were told: the number of a line and when it was written; and whom the mail server did not take a
    mail for, each with the line it was about.
    """

    told: int
    at: int = 0
    owed: list[tuple[int, str]] = []


def due(store: Store, mark: Mark, upto: int) -> list[tuple[int, AuditLine]]:
    """The lines after a mark, up to that number, that admins are to hear of, oldest first, however many others stand
    between them."""
    known = _line(store, mark.told)
    put_back = mark.at > 0 and (known is None or known.at != mark.at)
    found: list[tuple[int, AuditLine]] = []
    before = upto + 1
    while True:
        with store.read() as tx:
            lines = tx.consoles.audit_before(before, AT_ONCE, "")
        # Of a table of an earlier day, the numbers say nothing: what was written since then is news.
        news = [(n, line) for n, line in lines if (line.at > mark.at if put_back else n > mark.told)]
        found += [(n, line) for n, line in news if line.verb in TOLD]
        if len(news) < AT_ONCE:
            return found[::-1]
        before = lines[-1][0]


def admins(store: Store) -> list[str]:
    """Whom an alarm goes to: everybody who may act."""
    with store.read() as tx:
        return sorted(person.email for person in tx.people.persons() if person.role == IT and not person.gone)


def told_of(store: Store, line: AuditLine) -> list[str]:
    """Who hears of a line: all admins, and whoever was one until this line."""
    found = admins(store)
    if line.verb in OF_ADMINS:
        with store.read() as tx, contextlib.suppress(ValueError):
            person = tx.people.person(bytes.fromhex(line.object))
            if person is not None and person.email not in found:
                found.append(person.email)
    return found


def written(line: AuditLine, where: str) -> tuple[str, str]:
    """Subject and text of the mail about a line; `where` is the console's address, "" for none."""
    what = {
        WIPE: _("A wipe was ordered"),
        CANCEL: _("A wipe was called off"),
        "root": _("The root was changed: who may order what"),
        "policy": _("The policy was changed"),
        ADMIN_ADDED: _("Somebody was made an admin"),
        ADMIN_REMOVED: _("Somebody is an admin no longer"),
        CONSOLE_INVITE: _("Somebody was invited to the console"),
        CONSOLE_REVOKE: _("Somebody’s account of the console was closed"),
    }.get(line.verb, _("A wipe was called off too late"))
    at = dt.datetime.fromtimestamp(line.at / 1000, dt.UTC).strftime("%Y-%m-%d %H:%M UTC")
    look = (
        _("Look at it: {url}").format(url=f"{where}/audit")
        if where
        else _("Look at it: fieldkeep-admin audit list")
    )
    act = (
        _("If none of you did this, act now: close that admin’s account with fieldkeep-admin console revoke.")
        if line.verb in OF_ADMINS
        else _("If none of you did this, act now: call a wipe off with fieldkeep-admin cancel.")
    )
    parts = [f"{what}, {at}.", look, act]
    return f"Fieldkeep: {what}", "\n\n".join(parts) + "\n"


def tell(store: Store, carrier: Carrier, path: Path, where: str, *, again: bool = True) -> int:
    """Tell all admins of all that they were not told of yet; how many mails went. Raises OSError, SMTPException,
    ValueError where a mail went to nobody.

    An address that the mail server does not take keeps a mail from nobody else; with `again` it is tried once more.
    The mark moves once a mail went to somebody, so after a failure somebody may get one mail twice.
    """
    mark, sent = read_mark(path), 0
    if mark is None:
        write_mark(path, Mark(*_newest(store)))  # from today on, not the whole of the past
        return 0
    if mark.owed and again:
        left = [each for each in mark.owed if not _sent_late(store, carrier, each, where)]
        sent += len(mark.owed) - len(left)
        mark = msgspec.structs.replace(mark, owed=left)
        write_mark(path, mark)
    newest = _newest(store)
    if (mark.told, mark.at) == newest:
        return sent
    for n, line in due(store, mark, newest[0]):
        to = told_of(store, line)
        failed = _sent(carrier, to, *written(line, where))
        sent += len(to) - len(failed)
        owed = [*mark.owed, *((n, each) for each in failed)][-OWED_MAX:]
        mark = Mark(n, line.at, owed)
        write_mark(path, mark)
    if (mark.told, mark.at) != newest:  # the next look begins there
        write_mark(path, Mark(*newest, mark.owed))
    return sent


def _sent(carrier: Carrier, to: list[str], subject: str, text: str) -> list[str]:
    """Send a mail to each of these; those to whom it did not go. Raises what the last one raised where it went to
    nobody."""
    failed, problem = [], None
    for each in to:
        try:
            carrier.send(each, subject, text)
        except (OSError, smtplib.SMTPException, ValueError) as error:
            failed.append(each)
            problem = error
    if problem is not None:
        if len(failed) == len(to):
            raise problem
        logs.alarm("mail", problem=type(problem).__name__, refused=len(failed))
    return failed


def _sent_late(store: Store, carrier: Carrier, owed: tuple[int, str], where: str) -> bool:
    """Whether a mail that one admin did not get went now, or is not to go any more."""
    n, to = owed
    line = _line(store, n)
    if line is None or to not in told_of(store, line):
        return True
    with contextlib.suppress(OSError, smtplib.SMTPException, ValueError):
        return not _sent(carrier, [to], *written(line, where))
    return False


async def keep_telling(store: Store, carrier: Carrier, mark: Path, where: Callable[[], str]) -> None:
    """Look again and again, for as long as the server runs; a mail server that is away holds up nothing."""
    looked = 0
    while True:
        pause, again = LOOK_S, looked % _AGAIN == 0
        looked += 1
        try:
            if sent := await asyncio.to_thread(tell, store, carrier, mark, where(), again=again):
                logs.note("mailed", count=sent)
        except (OSError, smtplib.SMTPException, ValueError) as problem:
            logs.alarm("mail", problem=type(problem).__name__)
            pause = SLOW_S
        await asyncio.sleep(pause)


def read_mark(path: Path) -> Mark | None:
    """Up to which line admins were told, None where they never were."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def write_mark(path: Path, mark: Mark) -> None:
    """Keep it, whole or not at all. Raises OSError."""
    beside = path.with_name(path.name + ".new")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.encode(mark) + b"\n")
    beside.replace(path)


def _newest(store: Store) -> tuple[int, int]:
    """Number and time of the newest line."""
    with store.read() as tx:
        newest = tx.consoles.audit_before(2**62, 1, "")
    return (newest[0][0], newest[0][1].at) if newest else (0, 0)


def _line(store: Store, n: int) -> AuditLine | None:
    """The line of this number."""
    with store.read() as tx:
        found = tx.consoles.audit_before(n + 1, 1, "")
    return found[0][1] if found and found[0][0] == n else None


def _password(folders: Folders) -> str:
    try:
        return folders.mail_password.read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeDecodeError):
        return ""
