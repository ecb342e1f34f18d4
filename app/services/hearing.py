"""Opens a profile; where it does not hold, IT is heard first, since its orders must reach such a device too."""

from __future__ import annotations

from app.errors import KeyMissing, Locked, Offline, StoreDamaged
from app.paths import Profile
from app.services import wipe
from app.services.opening import open_damaged, open_session
from app.services.session import ACTIVE, Session
from app.store.store import Store
from sync.protocol.errors import KnownError


def open_heard(
    profile: Profile,
    wipe_step: wipe.Step = wipe.no_step,
    *,
    say_offline: bool = True,
    with_store: bool = False,
) -> Session:
    """Open a profile, and `with_store` its store, read from end to end; where it does not hold, hear what IT orders
    first, and try once more with what came.

    Raises as `open_session` does. Where a profile does not hold and the server is not reached either, Offline, or
    without `say_offline` what is wrong with the profile.
    """
    session = _opened(profile, wipe_step, say_offline=say_offline)
    if with_store and session.stage == ACTIVE:
        try:
            session.call(_whole)
        except KnownError as problem:
            shut_and_heard(session, problem)
    return session


def look(session: Session) -> None:
    """Open the store, if it is not. Raises what keeps it shut."""
    session.read(lambda _reader: None)


def _whole(store: Store) -> None:
    """Read all of a store that did not hold before: else it opens, and the next look meets the same page."""
    store.db.check()


def _opened(profile: Profile, wipe_step: wipe.Step, *, say_offline: bool) -> Session:
    try:
        return open_session(profile, wipe_step)
    except (StoreDamaged, KeyMissing) as damage:
        try:
            told = _heard(profile, wipe_step)
        except Offline:
            if say_offline:
                raise
            raise damage from None
    try:
        return open_session(profile, wipe_step)
    except (StoreDamaged, KeyMissing):
        raise told from None


def shut_and_heard(session: Session, problem: KnownError) -> None:
    """Close a session whose store does not open, after IT was heard. Raises what is wrong, with what became of the
    work; Wiped."""
    from app.services.syncing import Syncing

    with session:
        syncing = Syncing(session)
        try:
            syncing.round()
        except (Offline, Locked):
            raise problem from None
        finally:
            syncing.close()
    raise problem


def _heard(profile: Profile, wipe_step: wipe.Step) -> StoreDamaged:
    from app.services.syncing import (
        Syncing,  # a profile that holds is shown before anything of the network is loaded
    )

    with open_damaged(profile, wipe_step, ask_server=True) as session:
        syncing = Syncing(session)
        try:
            return syncing.hear(session.locked_error())
        finally:
            syncing.close()
