"""The verb on a device's keys: how old they are, and changing them now."""

from __future__ import annotations

from app.cli import pins
from app.cli.verb import Arguments, done
from app.errors import AppError
from app.paths import Profile
from app.services import rotation
from app.services.opening import open_session
from app.services.session import ACTIVE, Session
from app.services.syncing import Syncing
from sync.protocol.texts import gettext as _


def keys(profile: Profile, args: Arguments) -> int:
    """Tell of the keys; change them where that is asked."""
    with open_session(profile) as session:
        if args.act == "rotate":
            _rotate(session)
        standing = session.rotation.standing()
        document = {
            "made": standing.made,
            "age_days": standing.age_days,
            "rotate_days": standing.days,
            "waits_for": standing.waits,
        }
        text = _("Keys of this device: {how}.").format(how=rotation.in_words(standing))
        return done(args, document, _("The keys are changed.") if args.act else text)


def _rotate(session: Session) -> None:
    """Raises Locked, Offline, and AppError where the keys could not be changed at this contact."""
    before = session.state.epoch
    session.want_other_keys()  # before the PIN is given: what takes it is made at that moment
    pins.open_by_pin(session)
    if session.stage != ACTIVE:
        raise session.locked_error()
    syncing = Syncing(session)
    try:
        syncing.round()
    finally:
        syncing.close()
    if session.state.epoch == before or session.state.keys_before:
        raise AppError(
            _("The keys could not be changed now."),
            _("It is tried again at each contact; the old ones hold."),
        )
