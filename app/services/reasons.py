"""What policy makes of this device, in words for the person before it: what is so, and the next step."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Final

import msgspec

from app.errors import AppError
from app.services.guard import CLOCK_BACK, ORDER_MISSING, POLICY_EXPIRED, Reason, Rung, Verdict
from app.services.kept_orders import Pending
from sync.protocol import documents, harmless
from sync.protocol.joins import listed, sentences
from sync.protocol.signals import SCREENSHOT_PROTECTION, SIGNALS, SILENCE
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.uses import LABELS

_STANDING: Final = {
    CLOCK_BACK: (N_("The clock of this device was set back."), N_("Set date and time right, and connect.")),
    ORDER_MISSING: (N_("An order has not reached this device."), N_("Connect, and sync: fieldkeep sync")),
    POLICY_EXPIRED: (
        N_("The policy of your organisation is out of date; it goes on ruling this device."),
        N_("Tell IT to renew it."),
    ),
}


class Told(msgspec.Struct, frozen=True):
    """One thing that policy sees here: its rung, what is so, and the next step."""

    rung: Rung
    signal: str
    problem: str
    step: str


class NotAllowed(AppError):
    """Policy takes this use away."""


def told(verdict: Verdict) -> list[Told]:
    """Everything from a warning on, each signal once, the strictest first."""
    found: dict[str, Told] = {}
    for reason in verdict.reasons:
        if reason.signal not in found:
            found[reason.signal] = Told(reason.rung, reason.signal, *in_words(reason))
    return list(found.values())


def in_words(reason: Reason) -> tuple[str, str]:
    """What is so, and the next step."""
    if reason.signal in _STANDING:
        problem, step = _STANDING[reason.signal]
        return _(problem), _(step)
    signal = SIGNALS.get(reason.signal)
    if signal is None:
        return (
            _("The policy of your organisation asks for something that this version cannot tell."),
            _("Ask IT for the newer version of Fieldkeep."),
        )
    if reason.unknown and reason.signal not in (SILENCE, SCREENSHOT_PROTECTION):
        return (
            _("Policy asks about “{what}”, and this computer does not tell it.").format(what=_(signal.label)),
            _("Ask IT what to do."),
        )
    return _(signal.problem), _(signal.step)


def listed_uses(uses: Collection[str]) -> str:
    """Uses in words, in the order of their table."""
    return listed(_(label) for use, label in LABELS.items() if use in uses)


def taken_away(uses: Collection[str]) -> str:
    """Which uses policy takes away, in one line; "" for none."""
    return _("Not allowed here: {uses}.").format(uses=listed_uses(uses)) if uses else ""


def next_wipe(waiting: Collection[Pending]) -> documents.Order | None:
    """The wipe among these that comes first; None where none is there."""
    wipes = [each.order for each in waiting if each.order.op == documents.WIPE]
    return min(wipes, key=lambda order: order.not_before, default=None)


def wipe_coming(waiting: Collection[Pending]) -> str:
    """That this device is to be wiped, when, why, and what the person can do meanwhile; "" where it is not."""
    first = next_wipe(waiting)
    if first is None:
        return ""
    at = dt.datetime.fromtimestamp(first.not_before / 1000, dt.UTC).astimezone()
    text = _("IT has ordered this device to be wiped at {time}. The reason given: “{reason}”.").format(
        time=at.strftime("%Y-%m-%d %H:%M"), reason=harmless.line(first.reason)
    )
    return sentences(
        text, _("What you have not sent is kept for IT to give back. If this is a mistake, call IT now.")
    )


def refuse(verdict: Verdict, use: str) -> None:
    """Refuse a use that policy takes away. Raises NotAllowed, with the reason and the next step."""
    if use not in verdict.blocked:
        return
    because = next((reason for reason in verdict.reasons if reason.rung is Rung.RESTRICT), None)
    title = _("Your organisation does not allow this here: {use}.").format(use=_(LABELS[use]))
    if because is None:
        raise NotAllowed(title, _("Ask IT if you need it for your work."))
    raise NotAllowed(title, sentences(*in_words(because)))
