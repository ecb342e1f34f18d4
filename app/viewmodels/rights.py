"""What the role of the person at this device lets the window offer."""

from __future__ import annotations

from app.services.session import Session
from sync.protocol.kinds import Kind
from sync.protocol.roles import hides_names, may_change
from sync.protocol.texts import gettext as _


def not_changing() -> str:
    """Why somebody who may only look is offered nothing to change, and what to do about it."""
    return _("Your role may look at records, but not change them. Ask IT if it should.")


def not_made(kind: Kind) -> str:
    """Why nothing of a kind is begun by itself, and what to do instead."""
    said = _("{kinds} belong to records: open a record and attach a file to it there.")
    return said.format(kinds=_(kind.plural))


def hidden_field(session: Session) -> str:
    """Why a field that is hidden takes nothing."""
    if session.state.travelling:
        return _("This field stays at home while this device travels. End the journey to change it.")
    return _("This field is hidden on this device. Ask IT if you should see it.")


class Rights:
    """Asked anew each time: the server may tell of another role while the window is open."""

    session: Session

    @property
    def may_change(self) -> bool:
        """Whether this person's role makes and changes records at all, as the server last told it."""
        return may_change(self.session.card.person.role)

    def hidden(self, kind: Kind) -> frozenset[str]:
        """Names of the fields that this person may not see: what stands there is a mask, and is not changed."""
        return kind.hidden(self.session.card.person.care)

    @property
    def hides_names(self) -> bool:
        """Whether rows come without names, since this person's role may not see whom they are about."""
        person = self.session.card.person
        return hides_names(person.role, person.care)
