"""What the window says of the device itself: whose it is, what it holds, what rules it."""

from __future__ import annotations

from app.services import rotation
from app.services.session import Session
from app.viewmodels import words
from app.viewmodels.reading import Counts
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext, pgettext


def foot(session: Session, counts: Counts, *, warning: bool) -> tuple[str, str]:
    """The line at the foot of the window: what is here, and what rules it."""
    left = [session.card.person.territory or session.card.person.team]
    held = counts.kinds.get("customer", 0)
    text = ngettext("{n} customer on this device", "{n} customers on this device", held)
    left.append(text.format(n=words.number(held)))
    if session.pin.has_pin:
        left.append(_("Encrypted store, opened with your PIN"))
    else:
        left.append(_("Encrypted store, opened from the system keyring"))
    until = words.day_of(session.state.lease_until)
    right = [
        _("Works offline until {day}").format(day=until),
        _("Policy {n}").format(n=session.papers.held.policy.version),
    ]
    if warning:
        right.insert(0, _("Long without contact: connect soon"))
    if session.state.travelling:
        left.insert(0, _("This device travels"))
    return words.DOT.join(part for part in left if part), words.DOT.join(right)


def about(session: Session) -> list[tuple[str, str]]:
    """Who and where this device is, for the settings page."""
    card = session.card
    return [
        (_("Organisation"), card.org_name),
        (pgettext("whose device this is", "Person"), card.person.email),
        (_("Team"), card.person.team),
        (_("Device"), card.name),
        (_("Server"), card.server_url),
        *(
            [(_("Keys of this device"), rotation.in_words(session.rotation.standing()))]
            if not session.damage
            else []
        ),
    ]
