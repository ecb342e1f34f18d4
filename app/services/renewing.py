"""Makes a device's store anew from the server where its file does not hold and its keys do.

First the server is heard: what IT orders comes before anything else, and the sealed outbox is with IT before anything
is replaced. Without the server nothing is done, since a new store would be empty.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from app.errors import Offline, StoreDamaged
from app.services.rounds import Round
from app.services.session import ACTIVE, Session
from app.services.syncing import Syncing
from app.store import anew
from app.store.anew import Anew
from app.store.store import Store
from sync.protocol.ids import new_incarnation


def make_anew(
    session: Session, damage: StoreDamaged, filling: Callable[[Callable[[], int]], None]
) -> tuple[Anew, Round | None]:
    """The new store and what the server filled it with, None where the line broke off before all of it was here.

    `filling` hears, before records are fetched, how to ask how many there are so far.

    Raises Offline, ExchangeError, Locked, Wiped, NoSpace; then the old file stands where it stood.
    """
    syncing = Syncing(session)
    try:
        syncing.hear(damage)
        if session.stage != ACTIVE:
            raise session.locked_error()
        card = session.card
        made = session.store.replace(
            lambda key: anew.make(
                session.profile,
                key,
                device=bytes.fromhex(card.device),
                incarnation=bytes(new_incarnation()),
                person=card.person.email,
            )
        )
        session.call(Store.unsent)  # it opens; what is sealed and unknown to it is set aside for IT
        filling(lambda: syncing.fetched)
        with contextlib.suppress(Offline):
            return made, syncing.round()
        return made, None
    finally:
        syncing.close()
