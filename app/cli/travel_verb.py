"""The verb of journeys: have what is confidential leave this device before one, and come back after it."""

from __future__ import annotations

from app.cli.verb import Arguments, done, unlocked
from app.paths import Profile
from app.services import travel
from app.services.session import Session
from app.services.syncing import Syncing


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
        return done(args, document, travel.in_words(stands))


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
