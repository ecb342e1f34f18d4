"""The screens of the window, and what those without records say: locked, and why; what waits; whose device it is."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.errors import Busy
from app.services.guard import Rung
from app.services.session import LOCK_UI, Session
from app.services.why_locked import BY_ORDER, NOT_ENROLLED, reason
from app.viewmodels.ruled import Ruled, ruled
from sync.protocol import harmless
from sync.protocol.errors import KnownError
from sync.protocol.signals import SIGNALS, SILENCE
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


class Screen(StrEnum):
    """What fills the window."""

    STARTING = "starting"
    ENROL = "enrol"
    WORK = "work"
    LOCK = "lock"
    WIPED = "wiped"
    TROUBLE = "trouble"


class Notice(msgspec.Struct, frozen=True):
    """What a page without records says. `by_order`: only IT opens it again."""

    title: str
    body: str = ""
    foot: str = ""
    by_order: bool = False
    needs_pin: bool = False
    retry: bool = True

    def made_harmless(self) -> Notice:
        """Names and reasons were written elsewhere: a page that only IT can open again must read as it is."""
        return msgspec.structs.replace(self, title=harmless.line(self.title), body=harmless.lines(self.body))


def trouble(problem: KnownError) -> Notice:
    """Why the profile did not open; where another program has it, nobody tries again by himself."""
    return Notice(problem.title, problem.hint, retry=not isinstance(problem, Busy))


def judged(session: Session) -> Ruled:
    """Let policy and clock speak; what they ask of this device. Raises Locked where they lock."""
    session.judge()
    return ruled(session)


def locking() -> Notice:
    """The moment after somebody asked to lock."""
    return Notice(_("Fieldkeep is locked"), _("Your customers stay encrypted on this device."))


def locked(session: Session, *, needs_pin: bool) -> Notice:
    """Why this session is locked, and what opens it."""
    by_person = session.stage == LOCK_UI
    if by_person and session.ruling.verdict.rung is Rung.LOCK_UI:
        told = session.locked_error()
        title, body = told.title, told.hint
    elif by_person:
        title, body = locking().title, locking().body
    else:
        title = session.locked_error().title
        asked = _("Your customers stay encrypted. Ask IT to unlock this device.")
        body = "\n".join(part for part in (reason(session.state.locked_why), asked) if part)
        because = session.state.locked_because
        if because == NOT_ENROLLED or (because in SIGNALS and because != SILENCE):
            body = session.locked_error().hint
        elif because != BY_ORDER:
            body = _("Your customers stay encrypted. Connect to the server to open them again.")
    return Notice(title, body, _foot(session), by_order=not by_person, needs_pin=needs_pin and by_person)


def wiped(problem: KnownError) -> Notice:
    """Whose order it was and why; whom to turn to, since this page has nothing to click."""
    turn_to = _("Ask your IT what comes next.")
    return Notice(problem.title, "\n".join(part for part in (problem.hint, turn_to) if part))


def _foot(session: Session) -> str:
    waiting = session.state.unsent
    lines = []
    if waiting:
        text = ngettext(
            "{n} change waits to be sent. It is safe on this device.",
            "{n} changes wait to be sent. They are safe on this device.",
            waiting,
        )
        lines.append(text.format(n=waiting))
    lines.append(_("Device: {name}").format(name=session.card.name))
    return "\n".join(lines)
