"""The verb of journeys: have what is confidential leave this device before one, and come back after it."""

from __future__ import annotations

from app.cli.verb import Arguments, done, unlocked
from app.paths import Profile
from app.services import travel
from app.services.session import Session
from app.services.syncing import Syncing
from app.services.travel import Journey
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext


def travel_(profile: Profile, args: Arguments) -> int:
    """Begin a journey, end it, or tell how this device stands."""
    with unlocked(profile) as session:
        if args.act is not None:
            _turn(session, on=args.act == "on")
        stands = travel.standing(session)
        document = {
            "travelling": stands.on,
            "by_policy": stands.by_policy,
            "stays_home": stands.stays_home,
            "gone": stands.gone,
            "waiting": stands.waiting,
        }
        return done(args, document, in_words(stands))


def in_words(stands: Journey) -> str:
    """How a device stands, for a person."""
    if not stands.on:
        return _("This device does not travel: all that you may see is here.")
    if stands.gone:
        return _("This device travels. What stays at home has left it, and comes back when the journey ends.")
    if stands.waiting:
        text = ngettext(
            "This device travels. {n} sent change still tells of what stays at home, until the server has a backup.",
            "This device travels. {n} sent changes still tell of what stays at home, until the server has a backup.",
            stands.waiting,
        )
        return text.format(n=stands.waiting)
    return _("This device is about to travel. Connect until what stays at home has left it.")


def _turn(session: Session, *, on: bool) -> None:
    """Raises Offline, Locked, AppError."""
    syncing = Syncing(session)
    try:
        if on and not session.state.travelling:
            syncing.round()  # nothing goes before it was sent
            travel.begin(session)
        elif not on:
            travel.end(session)
        syncing.round()
        travel.tidy(session)
    finally:
        syncing.close()
