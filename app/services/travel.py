"""Leaving at home what policy does not let travel: asked for by a person or the policy, done by an exchange.

The server then shows this device less, as it does when a person's rights shrink: fields of these classes go from
rows, search, conflicts, totals and what was refused or taken, with every trace, and attached files with the keys that
stood in such a field. At the end all comes back. Nothing goes before it was sent: a journey begins once nothing waits.
"""

from __future__ import annotations

import msgspec

from app.errors import AppError
from app.services import attachments, copies, journey_words
from app.services.session import ACTIVE, Session
from app.store import sight
from app.store.blobs import unsent_in
from app.store.store import Store
from sync.protocol.fields import Care
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext
from sync.protocol.travel import most_care


class Journey(msgspec.Struct, frozen=True):
    """Whether a device travels, and policy says so; which class stays at home, with those above; whether nothing of it
    is here any more, and how many taken changes tell of it until a backup of the server holds them.
    """

    on: bool
    by_policy: bool
    stays_home: str
    gone: bool
    waiting: int


def standing(session: Session) -> Journey:
    """How this device stands. Raises Locked."""
    rule = session.ruling.policy.travel
    on = journey_words.travels(session)
    care = most_care(rule)
    swept, waiting = session.call(_left, int(care))
    return Journey(on, rule.always, Care(care + 1).name.lower(), on and swept and waiting == 0, waiting)


def in_words(stands: Journey) -> str:
    """How a device stands, for a person."""
    if not stands.on:
        return _("This device does not travel: all that you may see is here.")
    if stands.gone:
        return _("This device travels. What stays at home has left it, and comes back when the journey ends.")
    if stands.waiting:
        text = ngettext(
            "This device travels, but {n} change that you made lately is still on it, with what should stay at home.",
            "This device travels, but {n} changes that you made lately are still on it, with what should stay at home.",
            stands.waiting,
        )
        step = _(
            "It leaves by itself once the server has made its next backup. Ask IT to make one before you go, then"
            " run: fieldkeep sync"
        )
        return sentences(text.format(n=stands.waiting), step)
    return _("This device is about to travel. Connect until what stays at home has left it.")


def begin(session: Session) -> None:
    """Travel from the next exchange on. Raises AppError while something waits that would go unsent, Locked."""
    unsent = session.call(Store.unsent) + len(unsent_in(session.profile.unsent_blobs))
    if unsent:
        text = ngettext("{n} change waits to be sent.", "{n} changes wait to be sent.", unsent)
        raise AppError(text.format(n=unsent), _("Connect until all is sent, then travel."))
    care = int(most_care(session.ruling.policy.travel))
    refused = session.call(lambda store: sight.refused_about(store.db, care))
    if refused:
        text = ngettext(
            "{n} change was not accepted and would leave this device.",
            "{n} changes were not accepted and would leave this device.",
            refused,
        )
        raise AppError(text.format(n=refused), _("Make them again or let them go: fieldkeep conflicts"))
    session.travel(on=True)


def end(session: Session) -> None:
    """Travel no longer, from the next exchange on. Raises AppError where the policy has every device travel."""
    if session.ruling.policy.travel.always:
        raise AppError(
            _("Your organisation keeps this at home on every device."), _("Ask IT if you need it here.")
        )
    session.travel(on=False)


def tidy(session: Session) -> None:
    """After an exchange: attached files whose record tells no key any more leave the disk, and copies in clear."""
    if session.stage == ACTIVE:
        copies.take_away(session.profile)
        attachments.keep_within(session)


def _left(store: Store, care: int) -> tuple[bool, int]:
    """Whether all was gone through without what stays at home, and how many taken changes still tell of it."""
    cursor = store.here().cursor
    swept = cursor.care <= care and cursor.scopes > 0
    return swept, sight.taken_about(store.db, care)
