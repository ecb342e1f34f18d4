"""Why a device is locked, in words for people, and what opens it."""

from __future__ import annotations

from pathlib import Path

from app.errors import Locked
from app.keys import trusted_time
from app.keys.state import State
from app.services.guard import Reason, Rung, Verdict
from app.services.reasons import in_words
from sync.protocol.joins import sentences
from sync.protocol.messages import PIN_LOCKED
from sync.protocol.signals import SIGNALS, SILENCE
from sync.protocol.texts import gettext as _

BY_ORDER = "order"
BY_PERSON = "person"
BY_IDLE = (
    "idle"  # nobody used it for as long as policy or person say; the system's own words: app/system/events.py
)
ASKS_PIN = "asks_pin"  # it opens with a PIN, and none was given since it was last closed
BY_NO_PIN = "no_pin"  # a PIN has to be chosen before it opens
BY_SHORT_PIN = "short_pin"  # the PIN is right, and shorter than policy asks by now
BY_PIN = "pin"  # the PIN was wrong too often, or nobody knows it: only IT opens it
NOT_ENROLLED = "not_enrolled"  # the server, by its own certificate, knows this device no longer
REASON_SHOWN = 500  # letters


def here(because: str) -> Locked:
    """Whoever is in front of it opens it again."""
    if because == ASKS_PIN:
        return pin_asked()
    if because == BY_NO_PIN:
        return pin_wanted()
    if because == BY_SHORT_PIN:
        return Locked(
            _("Your PIN is shorter than your organisation asks for."),
            _("Choose a longer one with: fieldkeep pin"),
        )
    return Locked(_("Fieldkeep is locked."), _("Unlock it with: fieldkeep unlock"))


def window(verdict: Verdict, because: str) -> Locked:
    """The window is locked, and the keys stay."""
    return by_policy(verdict.reasons[0]) if verdict.rung is Rung.LOCK_UI else here(because)


def by_policy(reason: Reason) -> Locked:
    """The policy of the organisation locks this device for what it finds here."""
    problem, step = in_words(reason)
    opens = (
        _("Then connect and run: fieldkeep sync")
        if reason.rung is Rung.LOCK
        else _("Then unlock it with: fieldkeep unlock")
    )
    return Locked(
        problem, sentences(_("Your changes are safe."), step, opens), by_order=reason.rung is Rung.LOCK
    )


def pin_asked() -> Locked:
    """It opens with a PIN alone; a command that asks for one opens it for itself."""
    return Locked(_("This store asks for your PIN."), _("Unlock it with: fieldkeep unlock"))


def pin_wanted() -> Locked:
    """A PIN has to be chosen first."""
    return Locked(_("Your organisation asks for a PIN."), _("Choose one with: fieldkeep pin"))


def order_missing(org_name: str) -> Locked:
    """The server has signed that there is an order which has not come."""
    return Locked(
        _("An order from {org} has not reached this device.").format(org=org_name),
        _("Your changes are safe. Connect and run: fieldkeep sync"),
        by_order=True,
    )


def hard(state: State, org_name: str, sealed: Path, verdict: Verdict | None = None) -> Locked:
    """An order locked it, or silence, the clock, policy; `sealed` is the file of what was not sent."""
    because = state.locked_because
    for reason in verdict.reasons if verdict is not None else ():
        if (
            reason.signal == because
            and reason.rung is Rung.LOCK
            and because in SIGNALS
            and because != SILENCE
        ):
            return by_policy(reason)  # whether it is so, or only not known
    if because == BY_ORDER:
        return Locked(
            _("This device was locked by {org}.").format(org=org_name),
            _with_reason(
                state.locked_why, _("Your changes are safe. Ask IT to unlock it, then run: fieldkeep sync")
            ),
            by_order=True,
        )
    if because == BY_PIN:
        return Locked(
            _("The PIN was wrong too often."),
            _("Your changes are safe. Ask IT to unlock it, then run: fieldkeep sync"),
            by_order=True,
        )
    if because == NOT_ENROLLED:
        return Locked(
            _("This device is not enrolled any more."),
            _(
                "Work that was not sent stays here, sealed, in {file}. "
                "Give IT that file, and ask for a new enrolment code."
            ).format(file=sealed),
            by_order=True,
        )
    if because in SIGNALS and because != SILENCE:
        return by_policy(Reason(Rung.LOCK, because))
    if because == trusted_time.CLOCK_BACK:
        title = _("The clock of this device was set back.")
    else:
        title = _("This device has been without contact to the server for too long.")
    return Locked(title, _("Your changes are safe. Connect and run: fieldkeep sync"), by_order=True)


def pin_posture(state: State) -> dict[str, bool]:
    """What IT is told of a device whose PIN nobody knows."""
    return {PIN_LOCKED: True} if state.locked_because == BY_PIN else {}


def reason(why: str) -> str:
    """What IT said to an order, as a line; "" when it said nothing."""
    return _("Reason: {reason}").format(reason=why) if why else ""


def _with_reason(why: str, hint: str) -> str:
    return "\n".join(part for part in (reason(why), hint) if part)
