"""Whether a change of policy makes devices stricter or loosens them, so that whoever signs sees the loosening."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any, Final

from sync.protocol.documents import Policy
from sync.protocol.facts import version_of
from sync.protocol.ladder import RUNGS, Row, Rung
from sync.protocol.signals import SILENCE, silent_for_ms
from sync.protocol.texts import gettext as _
from sync.protocol.travel import most_care
from sync.protocol.uses import ALLOW, SCREENSHOT

_SCREENSHOT_UNKNOWN: Final = f"use.{SCREENSHOT}_unknown"
_MORE_IS_STRICTER: Final = ("pin.min_len", "pin.required")
_LESS_IS_STRICTER: Final = ("offline.warn_h", "offline.lock_h", "offline.wipe_d", "pin.max_attempts")
_NEVER_AT_0: Final = ("use.clear_clipboard_s", "inactivity_min", "keys.rotate_days")
_NEVER: Final = 2**62


class Turn(enum.Enum):
    """Which way a change goes; OTHER where it cannot be told, or it goes both ways."""

    STRICTER = "stricter"
    LOOSER = "looser"
    OTHER = "other"


def word(turn: Turn) -> str:
    """The turn in one word."""
    return {Turn.STRICTER: _("stricter"), Turn.LOOSER: _("LOOSER"), Turn.OTHER: _("changed")}[turn]


def of_setting(name: str, before: Policy, after: Policy) -> Turn:
    """The turn of a setting, by its name ("offline.lock_h")."""
    if name == _SCREENSHOT_UNKNOWN:
        return _one({_by(_on_unknown(before), _on_unknown(after))})
    if name == "travel":
        home = (most_care(before.travel), most_care(after.travel))
        return _one({_by(before.travel.always, after.travel.always), _by(home[1], home[0])})
    was, now = _value(name, before), _value(name, after)
    if name.startswith("use.") and isinstance(was, str):
        return _one({_by(was != ALLOW, now != ALLOW)})
    if name in _MORE_IS_STRICTER:
        return _one({_by(was, now)})
    if name in _LESS_IS_STRICTER:
        return _one({_by(now, was)})
    if name in _NEVER_AT_0:
        return _one({_by(now or _NEVER, was or _NEVER)})
    return Turn.OTHER


def of_row(before: Row | None, after: Row | None) -> Turn:
    """The turn of a row that came, went or was changed; both are of one signal."""
    if before is None or after is None:
        row = before or after
        if row is None or max(row.action, row.on_unknown) is Rung.ALLOW:
            return Turn.OTHER
        return Turn.STRICTER if before is None else Turn.LOOSER
    turns = {_by(before.action, after.action), _by(before.on_unknown, after.on_unknown)}
    if Rung.RESTRICT in (before.action, before.on_unknown, after.action, after.on_unknown):
        turns.add(_among(set(before.uses), set(after.uses)))
    if before.signal == SILENCE:
        turns.add(_by(silent_for_ms(after.condition), silent_for_ms(before.condition)))
    else:
        names = {*before.condition, *after.condition}
        turns |= {_of_part(name, before.condition, after.condition) for name in names}
    return _one(turns)


def _of_part(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Turn | None:
    """The turn of one part of a condition: a bound that is new asks for more, one that is gone for less."""
    was, now = before.get(name), after.get(name)
    if was == now:
        return None
    if name == "allowed" and isinstance(was, list) and isinstance(now, list):
        return _among({each.casefold() for each in now}, {each.casefold() for each in was})
    if name == "within_min":
        return _by(-(was or _NEVER), -(now or _NEVER))
    if name == "after_d" and isinstance(was, int) and isinstance(now, int):
        return _by(now, was)
    if name in ("below", "above"):
        if was is None or now is None:
            return Turn.STRICTER if was is None else Turn.LOOSER
        low, high = (_bound(each) for each in (was, now))
        return _by(low, high) if name == "below" else _by(high, low)
    return Turn.OTHER


def _bound(value: Any) -> Any:
    return value if isinstance(value, int) else version_of(str(value))


def _by(was: Any, now: Any) -> Turn | None:
    """The turn where more is stricter; None where nothing changes."""
    return None if was == now else Turn.STRICTER if now > was else Turn.LOOSER


def _among(was: set[str], now: set[str]) -> Turn | None:
    """The turn where more of a set is stricter."""
    if was == now:
        return None
    return Turn.STRICTER if now > was else Turn.LOOSER if now < was else Turn.OTHER


def _one(turns: set[Turn | None]) -> Turn:
    """The turn of several: that of all, else OTHER."""
    real = {each for each in turns if each is not None}
    return real.pop() if len(real) == 1 else Turn.OTHER


def _on_unknown(policy: Policy) -> Rung:
    if policy.use.screenshot == ALLOW:
        return Rung.ALLOW
    return RUNGS.get(policy.use.screenshot_unknown, Rung.WARN)


def _value(name: str, policy: Policy) -> Any:
    found: Any = policy
    for part in name.split("."):
        found = getattr(found, part)
    return found
