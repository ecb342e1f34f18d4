"""The form of a policy: what stands in each of its fields, and the policy that somebody wrote into them.

A field is named by where its value goes: `offline.warn`, `use.export`, `r3.below` for a part of the fourth row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from sync.protocol.documents import Policy
from sync.protocol.errors import KnownError
from sync.protocol.fields import clean_text
from sync.protocol.ladder import ROWS_MAX, RUNGS, WORDS, row_of
from sync.protocol.signals import DAYS, SIGNALS, SILENCE, Signal
from sync.protocol.texts import gettext as _
from sync.protocol.texts import mark as N_
from sync.protocol.travel import CLASSES
from sync.protocol.uses import ALLOW, BLOCK, USES

NUMBER, TIME, LIST, CHOSEN, TEXT = "number", "time", "list", "days", "text"
DAYS_LABELS: Final[Mapping[str, str]] = {
    "mon": N_("Mon"),
    "tue": N_("Tue"),
    "wed": N_("Wed"),
    "thu": N_("Thu"),
    "fri": N_("Fri"),
    "sat": N_("Sat"),
    "sun": N_("Sun"),
}
PART_LABELS: Final[Mapping[str, str]] = {
    "after_h": N_("After hours"),
    "after_d": N_("After days"),
    "below": N_("Below"),
    "above": N_("Above"),
    "system": N_("On the system"),
    "within_min": N_("Locks within minutes"),
    "allowed": N_("Allowed, one a line"),
    "from": N_("From"),
    "to": N_("To"),
    "zone": N_("Time zone"),
    "days": N_("On days"),
}
_HOURS: Final = ("warn", "lock")
_UNITS: Final = {"h": 1, "d": 24}
_NUMBERS: Final = (
    "pin.min_len",
    "pin.max_attempts",
    "inactivity_min",
    "use.clear_clipboard_s",
    "offline.wipe_d",
    "keys.rotate_days",
)
_DIGITS_MAX: Final = 9
_LINES_MAX: Final = 100
_TEXT_MAX: Final = 120


class WrongField(KnownError):
    """A field in which stands what cannot be read."""

    def __init__(self, field: str, title: str, hint: str = "") -> None:
        super().__init__(title, hint)
        self.field = field


@dataclass(frozen=True, slots=True)
class Part:
    """A field of a row's condition."""

    name: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class RowForm:
    """A row of the form: its number, signal and fields of its condition; what is not `known` is carried as it is."""

    n: int
    signal: str
    label: str
    parts: list[Part]
    known: bool


def parts_of(signal: Signal) -> list[Part]:
    """The fields of this signal's condition; what fits there says which sort each is."""
    return [Part(name, _(PART_LABELS[name]), _kind(signal, name)) for name in signal.parts]


def _kind(signal: Signal, name: str) -> str:
    fits = signal.parts[name]
    if fits(1):
        return NUMBER
    if fits(["mon"]):
        return LIST if fits(["-"]) else CHOSEN
    return TIME if fits("07:00") and not fits("7") else TEXT


def rows_of(fields: Mapping[str, str]) -> list[RowForm]:
    """The rows that stand in a form."""
    found = []
    for n in range(_count(fields)):
        name = fields.get(f"r{n}.signal", "")
        signal = SIGNALS.get(name)
        label = _(signal.label) if signal else name
        found.append(RowForm(n, name, label, parts_of(signal) if signal else [], signal is not None))
    return found


def _count(fields: Mapping[str, str]) -> int:
    text = fields.get("rows", "0")
    return min(int(text), ROWS_MAX) if text.isascii() and text.isdigit() and len(text) < 4 else 0


# -- a policy into fields


def fields_of(policy: Policy) -> dict[str, str]:
    """What stands in the form for this policy."""
    found = {name: str(_at(policy, name)) for name in _NUMBERS}
    for name in _HOURS:
        hours = getattr(policy.offline, f"{name}_h")
        unit = "h" if hours % 24 else "d"
        found |= {f"offline.{name}": str(hours // _UNITS[unit]), f"offline.{name}_unit": unit}
    found["travel.stays_home"] = policy.travel.stays_home
    found["travel.always"] = "on" if policy.travel.always else ""
    found["pin.required"] = "on" if policy.pin.required else ""
    found |= {f"use.{use}": getattr(policy.use, use) for use in USES}
    found["use.screenshot_unknown"] = policy.use.screenshot_unknown
    found["rows"] = str(len(policy.rules))
    for n, rule in enumerate(policy.rules):
        found |= {f"r{n}.{name}": value for name, value in _row_fields(rule).items()}
    return found


def _row_fields(rule: Mapping[str, Any]) -> dict[str, str]:
    row = row_of(rule)
    found = {"signal": row.signal, "on_unknown": WORDS[row.on_unknown], "action": str(rule.get("action", ""))}
    signal, condition = SIGNALS.get(row.signal), rule.get("condition", {})
    for part in parts_of(signal) if signal else []:
        value = condition.get(part.name) if isinstance(condition, dict) else None
        if part.kind == CHOSEN:
            days = value if isinstance(value, list) else DAYS[:5]
            found |= {f"{part.name}.{day}": "on" for day in DAYS if day in days}
        elif isinstance(value, list):
            found[part.name] = "\n".join(map(str, value))
        elif value is not None:
            found[part.name] = str(value)
    return found | {f"use.{use}": "on" for use in row.uses}


def blank(signal: str) -> dict[str, Any]:
    """A new row of this signal: it warns, once its condition is filled in. Raises KnownError."""
    if signal not in SIGNALS:
        raise KnownError(_("There is no such signal."), _("Choose one of the list."))
    found = SIGNALS[signal]
    condition = {name: list(DAYS[:5]) for name in found.parts if _kind(found, name) == CHOSEN}
    return {"signal": signal, "condition": condition, "action": "warn", "on_unknown": found.on_unknown}


# -- fields into a policy


def policy_of(fields: Mapping[str, str], before: Policy) -> Policy:
    """What a form says, with all that it has no field for as in `before`. Raises WrongField."""
    number = {name: _number(fields, name) for name in _NUMBERS}
    hours = {}
    for name in _HOURS:
        unit = fields.get(f"offline.{name}_unit", "h")
        hours[f"{name}_h"] = _number(fields, f"offline.{name}") * _UNITS.get(unit, 1)
    uses: dict[str, Any] = {use: _choice(fields, f"use.{use}", (ALLOW, BLOCK)) for use in USES}
    unknown = _choice(fields, "use.screenshot_unknown", tuple(RUNGS))
    replace = msgspec.structs.replace
    return replace(
        before,
        offline=replace(before.offline, wipe_d=number["offline.wipe_d"], **hours),
        pin=replace(
            before.pin,
            required=fields.get("pin.required") == "on",
            min_len=number["pin.min_len"],
            max_attempts=number["pin.max_attempts"],
        ),
        inactivity_min=number["inactivity_min"],
        keys=replace(before.keys, rotate_days=number["keys.rotate_days"]),
        travel=replace(
            before.travel,
            stays_home=_choice(fields, "travel.stays_home", CLASSES),
            always=fields.get("travel.always") == "on",
        ),
        use=replace(
            before.use, screenshot_unknown=unknown, clear_clipboard_s=number["use.clear_clipboard_s"], **uses
        ),
        rules=[_rule(fields, row, before) for row in rows_of(fields)],
    )


def _rule(fields: Mapping[str, str], row: RowForm, before: Policy) -> dict[str, Any]:
    own = f"r{row.n}."
    if not row.known:
        if row.n < len(before.rules) and before.rules[row.n].get("signal") == row.signal:
            return before.rules[row.n]
        raise WrongField(f"{own}signal", _("There is no such signal."), _("Choose one of the list."))
    # Nobody wipes by a slip: what may, and what may not, is looked at as a whole (soundness.py).
    action = _choice(fields, f"{own}action", tuple(RUNGS))
    on_unknown = _choice(fields, f"{own}on_unknown", tuple(RUNGS))
    condition = {}
    for part in row.parts:
        value = _value(fields, f"{own}{part.name}", part)
        if value not in ("", []):
            condition[part.name] = value
    found: dict[str, Any] = {
        "signal": row.signal,
        "condition": condition,
        "action": action,
        "on_unknown": on_unknown,
    }
    uses = [use for use in USES if fields.get(f"{own}use.{use}") == "on"]
    if "restrict" in (action, on_unknown) and uses and len(uses) < len(USES):
        found["uses"] = uses
    return found


def _value(fields: Mapping[str, str], name: str, part: Part) -> Any:
    text = fields.get(name, "").strip()
    if part.kind == CHOSEN:
        return [day for day in DAYS if fields.get(f"{name}.{day}") == "on"]
    if part.kind == LIST:
        return [clean_text(line)[:_TEXT_MAX] for line in text.splitlines()[:_LINES_MAX] if line.strip()]
    if part.kind == NUMBER:
        return _number(fields, name) if text else ""
    return clean_text(text)[:_TEXT_MAX]


def _number(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "").strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
        raise WrongField(name, _("A whole number is needed here."), _("Write it in digits."))
    return int(text)


def _choice(fields: Mapping[str, str], name: str, among: tuple[str, ...]) -> str:
    text = fields.get(name, "")
    if text not in among:
        raise WrongField(name, _("One of the list is needed here."), _("Choose one of the list."))
    return text


def actions(signal: str = "") -> list[str]:
    """The actions that a row of this signal may have, mildest first; without one, those for what is not known."""
    return [word for word in RUNGS if word != "wipe" or signal == SILENCE]


def _at(policy: Policy, name: str) -> Any:
    found: Any = policy
    for part in name.split("."):
        found = getattr(found, part)
    return found
