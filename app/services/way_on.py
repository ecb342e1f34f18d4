"""The way on for a device that does not open: one next step, the same before IT was heard and after it."""

from __future__ import annotations

from app.errors import AppError, Laid, StoreDamaged
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _


def before(damage: AppError) -> AppError:
    """What is wrong with files of this device, and what to do about it."""
    if isinstance(damage, Laid):
        return damage
    return StoreDamaged(
        damage.title,
        _(
            "Connect and run: fieldkeep sync. It fetches what the server has, and hands unsent work to IT, sealed."
            " If the store does not open then, ask IT for an enrolment code and for this work, and enrol in an"
            " empty folder."
        ),
    )


def handed_in(damage: AppError, *, store_alone: bool) -> StoreDamaged:
    """The same once unsent work is with IT; `store_alone` where the keys and the small files hold."""
    if isinstance(damage, Laid):
        step = sentences(damage.hint, _("Work that was not sent is with IT now, sealed."))
    elif store_alone:
        step = _(
            "Work that was not sent is with IT now, sealed. Make the store anew: fieldkeep doctor --repair"
        )
    else:
        step = _(
            "Work that was not sent is with IT now, sealed. Ask IT to recover it to a new device: enrol one in an"
            " empty folder."
        )
    return StoreDamaged(damage.title, step)


def nothing_sealed(damage: AppError, *, store_alone: bool) -> StoreDamaged:
    """The same where no sealed work was found."""
    if isinstance(damage, Laid):
        step = damage.hint
    elif store_alone:
        step = _("No sealed work was found here to hand in. Make the store anew: fieldkeep doctor --repair")
    else:
        step = _(
            "No sealed work was found here to hand in. Ask IT for an enrolment code, and enrol in an empty folder."
        )
    return StoreDamaged(damage.title, step)


def not_handed_in(damage: AppError) -> StoreDamaged:
    """The same where the server did not take it."""
    step = _("Orders from IT still arrive. Work that was not sent stays here, sealed. Ask IT.")
    return StoreDamaged(damage.title, step)
