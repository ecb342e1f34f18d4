"""What the role of the person at this device lets the window offer."""

from __future__ import annotations

from app.services.session import Session
from sync.protocol.roles import PRIVACY, may_change
from sync.protocol.texts import gettext as _


def not_changing() -> str:
    """Why somebody who may only look is offered nothing to change, and what to do about it."""
    return _("Your role may look at records, but not change them. Ask IT if it should.")


class Rights:
    """Asked anew each time: the server may tell of another role while the window is open."""

    session: Session

    @property
    def may_change(self) -> bool:
        """Whether this person's role makes and changes records at all, as the server last told it."""
        return may_change(self.session.card.person.role)

    @property
    def hides_names(self) -> bool:
        """Whether rows come without names, since this person's role may not see whom they are about."""
        return self.session.card.person.role == PRIVACY
