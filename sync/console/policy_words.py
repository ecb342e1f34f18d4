"""A policy in plain words, and what another one would change: for IT at a terminal and on a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sync.console import policy_turns
from sync.console.policy_form import parts_of
from sync.console.policy_turns import Turn
from sync.protocol.documents import Policy
from sync.protocol.fields import Care
from sync.protocol.joins import listed
from sync.protocol.ladder import Row, Rung, row_of
from sync.protocol.signals import SIGNALS
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.texts import ngettext
from sync.protocol.travel import most_care
from sync.protocol.uses import ALLOW, LABELS, SCREENSHOT, USES

RUNG_WORDS: Final[Mapping[Rung, str]] = {
    Rung.ALLOW: N_("nothing happens"),
    Rung.WARN: N_("warn"),
    Rung.RESTRICT: N_("restrict"),
    Rung.LOCK_UI: N_("lock the window"),
    Rung.LOCK: N_("lock the device"),
    Rung.WIPE: N_("wipe"),
}
_TOLD: Final = ("offline", "rules", "use", "pin", "inactivity_min", "outbox_escrow", "keys", "travel")


class Change(msgspec.Struct, frozen=True):
    """One thing that another policy says otherwise: "" where it says nothing, or said nothing before."""

    before: str
    after: str
    turn: Turn = Turn.OTHER

    def in_words(self) -> str:
        """The change as one sentence."""
        if not self.before:
            return _("New: {after}").format(after=self.after)
        if not self.after:
            return _("No longer: {before}").format(before=self.before)
        return _("Was: {before} Is: {after}").format(before=self.before, after=self.after)


def in_words(policy: Policy) -> list[str]:
    """All that a policy says, a sentence each."""
    rows = [row_in_words(row_of(rule)) for rule in policy.rules]
    return [*settled(policy).values(), *rows]


def changes(before: Policy, after: Policy) -> list[Change]:
    """What differs, without number and dates; a row that is only elsewhere among the others does not."""
    was, now = settled(before), settled(after)
    found = [
        Change(was.get(name, ""), now.get(name, ""), policy_turns.of_setting(name, before, after))
        for name in dict.fromkeys([*was, *now])
        if was.get(name, "") != now.get(name, "")
    ]
    return [*found, *_changed_rows(before, after)]


def _changed_rows(before: Policy, after: Policy) -> list[Change]:
    """Rows that went, came, or were changed: where one of a signal went and one came, it is one change."""
    rows = [[(row_in_words(row), row) for row in map(row_of, each.rules)] for each in (before, after)]
    counts = [Counter(text for text, _row in each) for each in rows]
    gone, come = (
        [(text, row) for text, row in _each_once(mine) if (counted - other)[text]]
        for mine, counted, other in ((rows[0], counts[0], counts[1]), (rows[1], counts[1], counts[0]))
    )
    found = []
    for text, row in gone:
        same = [each for each in come if each[1].signal == row.signal]
        alone = len(same) == 1 and sum(other.signal == row.signal for _text, other in gone) == 1
        if alone and row.known and same[0][1].known:
            come.remove(same[0])
            found.append(Change(text, same[0][0], policy_turns.of_row(row, same[0][1])))
        else:
            found.append(Change(text, "", policy_turns.of_row(row, None)))
    return [*found, *(Change("", text, policy_turns.of_row(None, row)) for text, row in come)]


def _each_once(rows: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
    return list(dict(rows).items())


def row_in_words(row: Row) -> str:
    """A row as a sentence."""
    signal = SIGNALS.get(row.signal)
    if signal is None or not row.known:
        said = _("{signal}: a row that this version does not know; {rung}.")
        return said.format(signal=row.signal or "?", rung=_(RUNG_WORDS[row.on_unknown]))
    what = rung_in_words(row)
    text = _("{signal}, {condition}: {rung}.") if row.condition else _("{signal}: {rung}.")
    first = text.format(signal=_(signal.label), condition=condition_in_words(row.condition), rung=what)
    unknown = _("Where it is not told: {rung}.").format(rung=_(RUNG_WORDS[row.on_unknown]))
    return f"{first} {unknown}"


def rung_in_words(row: Row) -> str:
    """What a row does."""
    word = _(RUNG_WORDS[row.action])
    if Rung.RESTRICT not in (row.action, row.on_unknown) or row.uses == USES:
        return word
    return _("{rung} ({uses})").format(rung=word, uses=listed(_(LABELS[use]) for use in row.uses))


def condition_in_words(condition: Mapping[str, Any]) -> str:
    """When a row is met."""
    found = []
    for name, value in condition.items():
        if name in ("after_h", "after_d"):
            found.append(_("after {time}").format(time=_hours(value if name == "after_h" else value * 24)))
        elif name in _PARTS:
            shown = listed(map(str, value)) if isinstance(value, list) else str(value)
            found.append(_(_PARTS[name]).format(value=shown))
    return listed(found)


CARE_WORDS: Final[Mapping[int, str]] = {
    Care.CONFIDENTIAL: N_("what is confidential or restricted"),
    Care.RESTRICTED: N_("what is restricted"),
}
_PARTS: Final[Mapping[str, str]] = {
    "below": N_("below {value}"),
    "above": N_("above {value}"),
    "system": N_("on {value}"),
    "within_min": N_("later than after {value} min"),
    "allowed": N_("none of {value}"),
    "from": N_("before {value}"),
    "to": N_("or after {value}"),
    "zone": N_("in the time of {value}"),
    "days": N_("or not on {value}"),
}


def settled(policy: Policy) -> dict[str, str]:
    """A sentence for each thing but the rows, by its name."""
    offline, use = policy.offline, policy.use
    found = {
        "offline.warn_h": _("Without contact, a device warns after {time}.").format(
            time=_hours(offline.warn_h)
        ),
        "offline.lock_h": _("Without contact, it locks after {time}.").format(time=_hours(offline.lock_h)),
        "offline.wipe_d": _("Without contact, it wipes itself after {time}.").format(
            time=_hours(offline.wipe_d * 24)
        ),
    }
    for name in USES:
        allowed = getattr(use, name) == ALLOW
        text = _("Allowed: {use}.") if allowed else _("Not allowed: {use}.")
        found[f"use.{name}"] = text.format(use=_(LABELS[name]))
    if use.screenshot != ALLOW:
        rung = row_of({"on_unknown": use.screenshot_unknown}).on_unknown
        text = _("Where screenshots cannot be kept away: {rung}.")
        found[f"use.{SCREENSHOT}_unknown"] = text.format(rung=_(RUNG_WORDS[rung]))
    seconds = use.clear_clipboard_s
    text = ngettext(
        "What was copied leaves the clipboard after {n} second, and at every lock.",
        "What was copied leaves the clipboard after {n} seconds, and at every lock.",
        seconds,
    )
    never = _("What was copied leaves the clipboard at every lock.")
    found["use.clear_clipboard_s"] = text.format(n=seconds) if seconds else never
    found |= _opening(policy)
    stays = _(CARE_WORDS[most_care(policy.travel) + 1])
    text = (
        _("Devices always leave at home: {what}.")
        if policy.travel.always
        else _("A device that travels leaves at home: {what}.")
    )
    found["travel"] = text.format(what=stays)
    days = policy.keys.rotate_days
    text = ngettext(
        "A device changes its keys once they are {n} day old.",
        "A device changes its keys once they are {n} days old.",
        days,
    )
    found["keys.rotate_days"] = (
        text.format(n=days) if days else _("Keys of devices become as old as they may.")
    )
    for name, value in parts_of(policy).items():
        if name not in _TOLD:
            found |= _plain(name, value)
    return found


def _opening(policy: Policy) -> dict[str, str]:
    """What opening asks for, when the window closes by itself, and what becomes of unsent work."""
    pin, minutes = policy.pin, policy.inactivity_min
    wanted = (
        _("Opening asks for a PIN.")
        if pin.required
        else _("Opening asks for a PIN where somebody wants one.")
    )
    length = ngettext("A PIN has {n} character at least.", "A PIN has {n} characters at least.", pin.min_len)
    tries = ngettext(
        "After {n} wrong PIN, IT alone opens the device.",
        "After {n} wrong PINs, IT alone opens the device.",
        pin.max_attempts,
    )
    idle = ngettext(
        "The window locks after {n} minute without use.",
        "The window locks after {n} minutes without use.",
        minutes,
    )
    return {
        "pin.required": wanted,
        "pin.min_len": length.format(n=pin.min_len),
        "pin.max_attempts": tries.format(n=pin.max_attempts),
        "inactivity_min": idle.format(n=minutes)
        if minutes
        else _("The window does not lock for want of use."),
        "outbox_escrow": _("Unsent work is handed in sealed before a wipe: {word}.").format(
            word=policy.outbox_escrow
        ),
    }


def _plain(name: str, value: Any) -> dict[str, str]:
    """What has no sentence of its own, as it is written."""
    if isinstance(value, dict):
        return {
            key: text for part, each in value.items() for key, text in _plain(f"{name}.{part}", each).items()
        }
    shown = {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)
    return {name: f"{name} = {shown}"}


def _hours(hours: int) -> str:
    if hours % 24 == 0:
        return ngettext("{n} day", "{n} days", hours // 24).format(n=hours // 24)
    return ngettext("{n} hour", "{n} hours", hours).format(n=hours)
