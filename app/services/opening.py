"""How a profile is opened: what a crash has left is finished, what waits is obeyed, then policy and clock judge."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import msgspec

from app.errors import AppError, KeyMissing, KeyringUnreachable, Locked, NewerStore, NotEnrolled, StoreDamaged
from app.keys import header
from app.keys.ring import Keyring, SystemKeyring
from app.keys.state import StateFile, device_hint
from app.paths import Profile
from app.services import copies, orphan, unfinished, wipe
from app.services.card import Card, read_card
from app.services.held import read_held
from app.services.memory import Memory
from app.services.opener import Opener
from app.services.orphan import Found
from app.services.session import Session
from app.services.wiped import refuse_wiped
from sync.protocol.texts import gettext as _

_Look = Callable[[Profile, Card, Keyring, AppError | None], Found]


def open_session(profile: Profile, wipe_step: wipe.Step = wipe.no_step) -> Session:
    """Open a profile in which everything holds; the session may be locked.

    Raises NotEnrolled, Busy, Wiped, StoreDamaged, KeyMissing, KeyringUnreachable.
    """
    return _open(profile, wipe_step, _whole)


def open_damaged(
    profile: Profile, wipe_step: wipe.Step = wipe.no_step, *, ask_server: bool = False
) -> Session:
    """Open a profile as far as it goes. Where its small files do not hold, the session has its `damage`, the store
    stays shut, and orders reach it all the same.

    With `ask_server`, the server may be asked for a lost root. Raises as `open_session` does, and StoreDamaged when
    nothing is left that says whom to believe.
    """

    def as_far_as_it_goes(profile: Profile, card: Card, ring: Keyring, laid: AppError | None) -> Found:
        try:
            return _whole(profile, card, ring, laid)
        except (StoreDamaged, KeyMissing) as damage:
            return orphan.what_holds(profile, card, ring, damage, ask_server=ask_server)

    return _open(profile, wipe_step, as_far_as_it_goes)


def _open(profile: Profile, wipe_step: wipe.Step, look: _Look) -> Session:
    laid: AppError | None = None
    try:
        refuse_wiped(profile, wipe_step)
    except StoreDamaged as damage:
        if not profile.device.exists():
            raise
        laid = damage  # no order stands behind it: the store stays shut, and orders come all the same
    card = read_card(profile)
    _refuse_two_devices(profile, card)
    opener = Opener(profile.one_opener)
    unfinished.take_away(profile)
    copies.take_away(profile)
    if profile.unsent_blobs.exists():
        from app.store.blobs import Blobs  # most starts have nothing to send

        Blobs(profile).clear_up()
    ring = SystemKeyring(card.org, card.device)
    try:
        if profile.enrolling.exists():
            from app.services.enrolment import settle  # once in the life of a device

            with contextlib.suppress(KeyringUnreachable, OSError):  # asked again at the next start
                settle(profile, ring)
        found = look(profile, card, ring, laid)
    except BaseException:
        opener.close()
        raise
    known = found.memory.state  # its mac is our own; a card is what anybody may lay here
    card = msgspec.structs.replace(card, org=known.org, device=known.device, enrolment=known.enrolment)
    session = Session(profile, card, opener, ring, found.memory, found.held, wipe_step, found.damage)
    if session.damage is None:
        session.rotation.resume()
    try:
        session.obey()
        if session.damage is None:
            session.judge()
            session.ask_pin()
    except Locked:
        session.stay_locked()
        return session
    except BaseException:
        session.close()
        raise
    return session


def _refuse_two_devices(profile: Profile, card: Card) -> None:
    """Beside the card of another device nothing is opened, sent or obeyed. Raises StoreDamaged."""
    named = [device_hint(profile)]
    with contextlib.suppress(StoreDamaged, NotEnrolled, NewerStore):
        found = header.read(profile)
        named.append((found.org, found.device))
    if any(each is not None and each != (card.org, card.device) for each in named):
        raise StoreDamaged(
            _("The files in this folder belong to two devices."),
            _("Nothing was changed or sent. Put the right device.json back, or ask IT."),
        )


def _whole(profile: Profile, _card: Card, ring: Keyring, laid: AppError | None) -> Found:
    """State and documents where all of them hold. Raises what is `laid` in the way, StoreDamaged, KeyMissing,
    KeyringUnreachable."""
    if laid is not None:
        raise laid
    guarded = StateFile(profile, ring)
    try:
        state = guarded.load()
        held, state = read_held(profile, state, guarded.root_on_file, Memory(guarded, state).now())
    except NotEnrolled:
        guarded.close()
        raise header.damaged() from None  # there is a card, so there was a store
    except BaseException:
        guarded.close()
        raise
    return Found(Memory(guarded, state), held)
