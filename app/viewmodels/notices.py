"""The screens of the window, and what those without records say: locked, and why; what waits; whose device it is."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from app.errors import Busy, Wiped
from app.paths import Profile
from app.services.guard import Rung
from app.services.session import LOCK_UI, Session
from app.services.why_locked import BY_IDLE, BY_ORDER, BY_PERSON, BY_PIN, NOT_ENROLLED, reason
from app.services.wiped import refuse_wiped
from app.system.events import Event
from app.viewmodels.ruled import Ruled, ruled
from sync.protocol import harmless
from sync.protocol.errors import KnownError
from sync.protocol.joins import sentences
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
    tries: int = 0  # wrong ones that are left
    new_pin: bool = False  # one has to be chosen before anything opens
    retry: bool = True
    again: bool = False  # of a wiped device: all is handed in, and it may join anew

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


def locking(because: str = BY_PERSON, minutes: int | None = None) -> Notice:
    """The moment after somebody asked to lock, or the system did."""
    return Notice(_("Fieldkeep is locked"), sentences(_since(because, minutes), _encrypted()))


def locked(session: Session, minutes: int | None = None) -> Notice:
    """Why this session is locked, and what opens it. `minutes`: without use it locks by itself."""
    because, here = session.state.locked_because, session.stage == LOCK_UI
    if here:
        notice = locking(because, minutes)
        if session.ruling.verdict.rung is Rung.LOCK_UI:
            told = session.locked_error()
            notice = Notice(told.title, told.hint)
        if session.pin.wants_new():
            return _choosing(session, notice)
        asks = session.pin.has_pin
        return msgspec.structs.replace(
            notice, foot=_foot(session), needs_pin=asks, tries=session.pin.tries_left() if asks else 0
        )
    title = session.locked_error().title
    if because == BY_PIN:
        body = _(
            "Your work is safe. Ask IT to unlock {name}. Then you choose a new PIN; IT does not learn it."
        )
        body = body.format(name=session.card.name)
        if session.state.pin_reset:
            body = _("IT has unlocked this device. Connect to the server to choose a new PIN.")
    elif because == NOT_ENROLLED or (because in SIGNALS and because != SILENCE):
        body = session.locked_error().hint
    elif because == BY_ORDER:
        asked = _("Your customers stay encrypted. Ask IT to unlock this device.")
        body = "\n".join(part for part in (reason(session.state.locked_why), asked) if part)
    else:
        body = _("Your customers stay encrypted. Connect to the server to open them again.")
    return Notice(title, body, _foot(session), by_order=True)


def _choosing(session: Session, notice: Notice) -> Notice:
    """A PIN has to be chosen first."""
    if session.pin.is_short:
        text = ngettext(
            "Your organisation asks for {n} character at least by now.",
            "Your organisation asks for {n} characters at least by now.",
            session.pin.rule.min_len,
        )
        title, why = _("Choose a longer PIN"), text.format(n=session.pin.rule.min_len)
    elif session.pin.rule.required and not session.pin.has_pin:
        title, why = (
            _("Choose a PIN"),
            _("Your organisation asks for one. It opens Fieldkeep on this device alone."),
        )
    else:
        title, why = _("Choose a new PIN"), _("IT has unlocked this device. Nobody else knows the new PIN.")
    return msgspec.structs.replace(notice, title=title, body=why, foot=_foot(session), new_pin=True)


def _since(because: str, minutes: int | None) -> str:
    if because == BY_IDLE and minutes is not None:
        text = ngettext(
            "Locked after {n} minute without use.", "Locked after {n} minutes without use.", minutes
        )
        return text.format(n=minutes)
    return {
        BY_IDLE: _("Locked after a while without use."),
        Event.SLEEP: _("Locked when this computer went to sleep."),
        Event.SCREEN: _("Locked with the screen."),
        Event.SESSION: _("Locked with your session."),
        Event.SWITCHED: _("Locked when the screen went to somebody else."),
    }.get(because, "")


def _encrypted() -> str:
    return _("Your customers stay encrypted on this device.")


def wiped(problem: KnownError) -> Notice:
    """Whose order it was and why; whom to turn to, until all is handed in this page has nothing to click."""
    turn_to = _("Ask your IT what comes next.")
    kept = problem.kept if isinstance(problem, Wiped) else ""
    return Notice(problem.title, "\n".join(part for part in (problem.hint, kept, turn_to) if part))


def handed_in(profile: Profile) -> Notice | None:
    """The same once IT has all of it, with the way to join anew; None where the folder has another device meanwhile.

    Raises StoreDamaged, KeyringUnreachable.
    """
    try:
        refuse_wiped(profile)
    except Wiped as problem:
        return msgspec.structs.replace(wiped(problem), again=True)
    return None


def joining_again(wiped: Notice) -> Notice:
    """What stands on the page of joining on a device that was wiped: what happened, and what comes back."""
    comes_back = _(
        "What you had not sent is sealed, and IT has it. Join with a new code: your customers come from the"
        " server, and IT gives the sealed work back to this device."
    )
    return Notice(_("Join your organisation"), sentences(wiped.title, comes_back))


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
