"""The verb of journeys: have what is confidential leave this device before one, and come back after it."""

from __future__ import annotations

from app.cli import hints
from app.cli.verb import Arguments, done, unlocked
from app.errors import Offline
from app.paths import Profile
from app.services import journey_words, travel
from app.services.session import Session
from app.services.syncing import Syncing
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.travel import most_care


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
        said = travel.in_words(stands)
        if args.act == "on":
            care = most_care(session.ruling.policy.travel)
            said = "\n".join(filter(None, (said, journey_words.not_on_it(care), journey_words.ends_by())))
        return done(args, document, hints.filled(said))


def _reached(syncing: Syncing, else_: str) -> None:
    """Exchange. Raises Offline, which says how the journey stands then; Locked, and other KnownErrors."""
    try:
        syncing.round()  # nothing goes before it was sent
    except Offline as problem:
        step = _("Connect, then run it again.")
        raise Offline(sentences(problem.title, else_), step) from problem


def _turn(session: Session, *, on: bool) -> None:
    """Raises Offline, Locked, AppError."""
    syncing = Syncing(session)
    begins = on and not session.state.travelling
    try:
        if begins:
            _reached(
                syncing, _("The journey has not begun: it needs the server, and all is still on this device.")
            )
            travel.begin(session)
        elif not on:
            travel.end(session)
        if on:
            later = _("The journey has begun, but what stays at home is still on this device.")
        else:
            later = _("The journey ends once the server is reached: what stayed at home comes back then.")
        _reached(syncing, later)
        travel.tidy(session)
    finally:
        syncing.close()
