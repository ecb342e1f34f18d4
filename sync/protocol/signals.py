"""The one table of signals that policy may name: what each is told by, the form of its condition, and what to do.

A signal is *met* when what the row warns of is so. `met` answers True, False, or None where it cannot be told; then
the row's `on_unknown` decides. What a device reads for it stands in `told` (app/services/posture.py reads it).
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from sync.protocol.facts import Facts, version_of
from sync.protocol.texts import mark as N_

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
SILENCE: Final = "silence"
SCREENSHOT_PROTECTION: Final = "screenshot_protection"
WARN: Final = "warn"
LOCK: Final = "lock_crypto"

LIST_MAX: Final = 100
_HOURS_MAX: Final = 24 * 3_650
_MINUTES_MAX: Final = 24 * 60
_TIME: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Condition = Mapping[str, Any]
Met = Callable[[Condition, Facts], bool | None]
Check = Callable[[Any], bool]


class Signal(msgspec.Struct, frozen=True, kw_only=True):
    """One signal: its words, the parts of its condition, and how it is judged.

    `parts` says which parts a condition may have and what fits there; one of each group in `needs` has to be there.
    `problem` and `step` are what a person at the device reads.
    """

    name: str
    label: str
    problem: str
    step: str
    met: Met
    told: tuple[str, ...] = ()
    parts: Mapping[str, Check] = {}
    needs: tuple[tuple[str, ...], ...] = ()
    on_unknown: str = WARN  # where the row does not say

    def fits(self, condition: object) -> bool:
        """Whether this is a condition of this signal."""
        return (
            isinstance(condition, dict)
            and all(name in self.parts and self.parts[name](value) for name, value in condition.items())
            and all(any(name in condition for name in group) for group in self.needs)
        )


# -- what fits into a condition


def _count(most: int, least: int = 1) -> Check:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _version(value: Any) -> bool:
    return isinstance(value, str) and version_of(value) is not None


def _word(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 60


def _words(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) <= LIST_MAX and all(map(_word, value))


def _clock(value: Any) -> bool:
    return isinstance(value, str) and _TIME.fullmatch(value) is not None


def _days(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(day in DAYS for day in value)


def _zone(value: Any) -> bool:
    return isinstance(value, str) and zone_of(value) is not None


@functools.lru_cache(8)
def zone_of(name: str) -> dt.tzinfo | None:
    """The time zone of this name, None where this machine does not know it."""
    import zoneinfo  # few policies have working hours, and every start reads this module

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


# -- how each is judged


def _silence(condition: Condition, facts: Facts) -> bool | None:
    if facts.silent_ms is None:
        return None
    return facts.silent_ms >= silent_for_ms(condition)


def silent_for_ms(condition: Condition) -> int:
    """How much silence a condition asks for."""
    after: int = condition["after_h"] * HOUR_MS if "after_h" in condition else condition["after_d"] * DAY_MS
    return after


def _off(name: str) -> Met:
    def met(_condition: Condition, facts: Facts) -> bool | None:
        found = facts.flag(name)
        return None if found is None else not found

    return met


def _on(name: str) -> Met:
    return lambda _condition, facts: facts.flag(name)


def _protected(_condition: Condition, facts: Facts) -> bool | None:
    return (
        False if facts.flag("screenshot_protection") else None
    )  # what a system cannot do is not known to be done


def _older(name: str) -> Met:
    def met(condition: Condition, facts: Facts) -> bool | None:
        return _outside(condition, facts.text(name))

    return met


def _outside(condition: Condition, text: str | None) -> bool | None:
    """Whether a version lies below or above what the condition says."""
    found = version_of(text or "")
    if found is None:
        return None
    below, above = (version_of(condition.get(name, "")) for name in ("below", "above"))
    return (below is not None and found < below) or (above is not None and found > above)


def _protocol(condition: Condition, facts: Facts) -> bool | None:
    found = facts.number("protocol")
    return None if found is None else found < condition["below"]


def _system(condition: Condition, facts: Facts) -> bool | None:
    name = facts.text("os")
    if name is None:
        return None
    if name.casefold() != condition["system"].casefold():
        return False  # the row speaks of another system
    return _outside(condition, facts.text("os_version"))


def _screen(condition: Condition, facts: Facts) -> bool | None:
    found, within = facts.flag("screen_lock"), condition.get("within_min")
    if found is None or not found or within is None:
        return None if found is None else not found
    after = facts.number("screen_lock_s")
    return None if after is None else after > within * 60


def _not_listed(condition: Condition, *found: str | None) -> bool | None:
    known = {each.casefold() for each in found if each}
    return None if not known else known.isdisjoint(each.casefold() for each in condition["allowed"])


def _keyring(condition: Condition, facts: Facts) -> bool | None:
    return _not_listed(condition, facts.text("keyring"))


def _model(condition: Condition, facts: Facts) -> bool | None:
    model, maker = facts.text("model"), facts.text("maker")
    return _not_listed(condition, model, f"{maker} {model}" if maker and model else None)


def _anomaly(_condition: Condition, facts: Facts) -> bool | None:
    found = facts.posture.get("clock")
    return bool(found) if isinstance(found, str) else None


def _updates(condition: Condition, facts: Facts) -> bool | None:
    day = facts.number("updates_day")
    if day is None:
        return None
    age = facts.now // DAY_MS - day
    return None if age < -1 else age >= condition["after_d"]  # a mark from tomorrow says nothing


def _hours(condition: Condition, facts: Facts) -> bool | None:
    """Whether it is outside the hours; a night that begins on a working day belongs to that day."""
    zone = zone_of(condition["zone"])
    if zone is None:
        return None
    try:
        moment = dt.datetime.fromtimestamp(facts.now / 1000, zone)
    except (OverflowError, ValueError, OSError):
        return None
    days = condition.get("days", DAYS[:5])
    minute = moment.hour * 60 + moment.minute
    begins, ends = (_minute(condition[name]) for name in ("from", "to"))
    today, yesterday = DAYS[moment.weekday()], DAYS[moment.weekday() - 1]
    if begins <= ends:
        return not (today in days and begins <= minute < ends)
    return not ((today in days and minute >= begins) or (yesterday in days and minute < ends))


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:])


_TABLE: Final = (
    Signal(
        name=SILENCE,
        label=N_("Time without contact"),
        problem=N_("This device has been without contact to the server for long."),
        step=N_("Connect, and sync: fieldkeep sync"),
        met=_silence,
        parts={"after_h": _count(_HOURS_MAX), "after_d": _count(_HOURS_MAX // 24)},
        needs=(("after_h", "after_d"),),
    ),
    Signal(
        name="app_version",
        label=N_("Version of Fieldkeep"),
        problem=N_("This version of Fieldkeep is not one that your organisation accepts."),
        step=N_("Ask IT for the newer version, and install it."),
        met=_older("app_version"),
        told=("app_version",),
        parts={"below": _version, "above": _version},
        needs=(("below", "above"),),
    ),
    Signal(
        name="protocol",
        label=N_("Version of the wire"),
        problem=N_("This Fieldkeep speaks to the server in a way that is out of date."),
        step=N_("Ask IT for the newer version, and install it."),
        met=_protocol,
        told=("protocol",),
        parts={"below": _count(1_000)},
        needs=(("below",),),
    ),
    Signal(
        name="os_version",
        label=N_("Version of the system"),
        problem=N_("The version of this computer's system is not one that your organisation accepts."),
        step=N_("Update the system, or ask IT to."),
        met=_system,
        told=("os", "os_version"),
        parts={"system": _word, "below": _version, "above": _version},
        needs=(("system",), ("below", "above")),
    ),
    Signal(
        name="disk_encryption",
        label=N_("Encryption of the disk"),
        problem=N_("The disk that holds your customers is not encrypted."),
        step=N_("Ask IT to encrypt this computer's disk."),
        met=_off("disk_encryption"),
        told=("disk_encryption",),
    ),
    Signal(
        name="screen_lock",
        label=N_("Screen lock of the system"),
        problem=N_("The screen of this computer does not lock itself, or does so too late."),
        step=N_("Turn the screen lock on in the settings of your desktop."),
        met=_screen,
        told=("screen_lock", "screen_lock_s"),
        parts={"within_min": _count(_MINUTES_MAX)},
    ),
    Signal(
        name="keyring",
        label=N_("Kind of keyring"),
        problem=N_("The keyring of this computer is not one that your organisation accepts."),
        step=N_("Ask IT which keyring to use."),
        met=_keyring,
        told=("keyring",),
        parts={"allowed": _words},
        needs=(("allowed",),),
    ),
    Signal(
        name="clock",
        label=N_("The clock"),
        problem=N_("The clock of this computer does not agree with the server's."),
        step=N_("Set date and time right, and connect."),
        met=_anomaly,
        told=("clock",),
        on_unknown=LOCK,
    ),
    Signal(
        name="refused_document",
        label=N_("Documents that did not hold"),
        problem=N_("This device was shown a document that does not hold."),
        step=N_("Tell IT: somebody may be trying to give orders in its name."),
        met=_on("refused_document"),
        told=("refused_document",),
    ),
    Signal(
        name="model",
        label=N_("Maker and model"),
        problem=N_("This model of computer is not one that your organisation accepts."),
        step=N_("Ask IT for a computer that is."),
        met=_model,
        told=("maker", "model"),
        parts={"allowed": _words},
        needs=(("allowed",),),
    ),
    Signal(
        name="working_hours",
        label=N_("Working hours"),
        problem=N_("It is outside the hours in which your organisation lets this device be used."),
        step=N_("Come back within working hours, or ask IT."),
        met=_hours,
        parts={"from": _clock, "to": _clock, "days": _days, "zone": _zone},
        needs=(("from",), ("to",), ("zone",)),
    ),
    Signal(
        name="updates",
        label=N_("Updates of the system"),
        problem=N_("The system of this computer has not been updated for long."),
        step=N_("Install the updates of your system."),
        met=_updates,
        told=("updates_day",),
        parts={"after_d": _count(_HOURS_MAX // 24)},
        needs=(("after_d",),),
    ),
    Signal(
        name="secure_boot",
        label=N_("Secure boot"),
        problem=N_("This computer does not start with secure boot."),
        step=N_("Ask IT to turn secure boot on."),
        met=_off("secure_boot"),
        told=("secure_boot",),
    ),
    Signal(
        name="elevated",
        label=N_("Rights of an administrator"),
        problem=N_("Fieldkeep runs with the rights of an administrator."),
        step=N_("Start it as an ordinary user."),
        met=_on("elevated"),
        told=("elevated",),
    ),
    Signal(
        name=SCREENSHOT_PROTECTION,
        label=N_("Protection from screenshots"),
        problem=N_("The system of this computer cannot keep screenshots of your customers away."),
        step=N_("Take none, and share no screen that shows them."),
        met=_protected,
        told=("screenshot_protection",),
    ),
)
SIGNALS: Final[Mapping[str, Signal]] = {signal.name: signal for signal in _TABLE}
