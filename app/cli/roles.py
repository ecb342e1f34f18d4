"""Why somebody finds nothing: IT gets no customer data, and names are hidden for privacy and for who sees less."""

from __future__ import annotations

from app.cli.verb import aside
from app.errors import NotFound
from app.services.session import Session
from sync.protocol.roles import IT, hides_names
from sync.protocol.texts import gettext as _


def explain_nothing(session: Session) -> None:
    """After "Nothing found.": what the role has to do with it, where it has."""
    role = session.card.person.role
    if role == IT:
        aside(no_customers())
    elif _names_hidden(session):
        aside(_("Names are hidden on this device (•••): only what is shown can be found."))


def explain_masks(session: Session) -> None:
    """Below rows whose names are masks."""
    if _names_hidden(session):
        aside(_("Names are hidden on this device (•••)."))


def _names_hidden(session: Session) -> bool:
    person = session.card.person
    return hides_names(person.role, person.care)


def not_here(session: Session, problem: NotFound) -> NotFound:
    """The same problem, with the next step of somebody whose device never holds a record."""
    return NotFound(problem.title, no_customers()) if session.card.person.role == IT else problem


def no_customers() -> str:
    """What somebody of the role IT is told on a device."""
    return _(
        "Your role is IT: it gets no customer data, so this device holds none. Use fieldkeep-admin instead."
    )
