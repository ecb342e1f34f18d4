"""A journey begun or ended from the window: asked for in the background, said in the line beside the list."""

from __future__ import annotations

from collections.abc import Callable

from app.services import journey_words, travel
from app.services.session import Session
from app.viewmodels.base import Background
from app.viewmodels.desk import Desk
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _


def turn(session: Session, desk: Desk, slow: Background, exchange: Callable[[], None]) -> None:
    """Begin a journey where none is under way, or end it; `exchange` does the rest with the server."""

    def turned() -> bool:
        on = not session.state.travelling
        travel.begin(session) if on else travel.end(session)
        return on

    def done(on: bool) -> None:
        leaves = _("This device is about to travel: what stays at home leaves it with the next exchange.")
        comes = _("The journey has ended: what stayed at home comes back with the next exchange.")
        desk.say(leaves if on else comes)
        exchange()

    slow.run(turned, done, desk.fail)


def told(session: Session | None) -> str:
    """What the badge says of a journey that was begun here, "" without one."""
    if session is None or not journey_words.ends_here(session):
        return ""
    return sentences(journey_words.in_short(session), _("To end it, choose the command “Travel”."))


def about(session: Session) -> list[tuple[str, str]]:
    """What the page of settings says of it; nothing where this device does not travel."""
    said = journey_words.in_short(session)
    return [(_("Travel"), said)] if said else []
