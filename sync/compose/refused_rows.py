"""Changes that the server did not take, as `fieldkeep-admin` prints them: a row, field and value below it, or JSON."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from sync.compose import telling
from sync.protocol import money
from sync.protocol.desk import RefusedView
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import (
    Address,
    Choice,
    Content,
    Field,
    Flag,
    Instant,
    Money,
    Ref,
    Several,
    Tags,
    Value,
)
from sync.protocol.ids import id_text
from sync.protocol.joins import sized
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _

_LONGEST_MS: Final = 253_402_300_800_000  # the end of the calendar's year 9999


def heads() -> list[str]:
    """The heads of the table."""
    return [_("kind"), _("record"), _("device"), _("person"), _("rule"), _("when"), _("since then")]


def row(refused: RefusedView) -> list[str]:
    """A refused change as a row of a table."""
    kind = KINDS.get(refused.kind)
    label = _(kind.label) if kind is not None else refused.kind
    when, since = telling.when(refused.at) or "", _("taken in") if refused.taken else ""
    return [label, refused.record, refused.device, refused.person, refused.rule, when, since]


def as_json(refused: RefusedView, values: dict[str, Any] | None) -> dict[str, Any]:
    """A refused change as JSON, with its cells where they were asked for."""
    found = {**msgspec.structs.asdict(refused), "at": telling.when(refused.at)}
    del found["sealed"]
    kind = KINDS.get(refused.kind)
    if values is None:
        return found
    return {**found, "values": kind.told(values) if kind is not None else values}


def written(kind_name: str, cells: Mapping[str, Any]) -> list[str]:
    """The cells of a change as lines of label and value. What no field can hold stands there as it was sent."""
    kind = KINDS.get(kind_name)
    lines: list[str] = []
    told: set[str] = set()
    for cell, value in cells.items():
        name = cell.partition("/")[0]
        field = kind.by_name.get(name) if kind is not None else None
        if kind is None or field is None:
            lines.append(f"{cell}: {_raw(value)}")
        elif value is None:
            label = _(field.label) if cell == name else f"{_(field.label)} ({cell.partition('/')[2]})"
            lines.append(_("{label}: (empty)").format(label=label))
        elif name not in told:
            told.add(name)
            lines.append(f"{_(field.label)}: {_of_field(kind, field, cells)}")
    return lines


def _of_field(kind: Kind, field: Field, cells: Mapping[str, Any]) -> str:
    own = {cell: value for cell, value in cells.items() if cell.partition("/")[0] == field.name}
    value = kind.values(own).get(field.name)
    if value is None:
        return _raw(own)
    try:
        return _in_words(field, field.type.check(field.name, value))
    except FieldProblem:  # for just that it may have been refused
        return _raw(own)


def _in_words(field: Field, value: Value) -> str:
    if value is None:
        return _("(empty)")
    if isinstance(field.type, Choice):
        return field.type.label(value)
    if isinstance(field.type, Flag):
        return _("yes") if value else _("no")
    if isinstance(field.type, Money):
        return f"{money.decimal(value['minor'], value['currency'])} {value['currency']}"
    if isinstance(field.type, Ref):
        return id_text(value)
    if isinstance(field.type, Instant) and 0 <= value["at"] < _LONGEST_MS:
        at = dt.datetime.fromtimestamp(value["at"] / 1000, dt.UTC)
        return at.isoformat(" ", "minutes")
    if isinstance(field.type, Several):
        return ", ".join(f"{e['value']} ({e['label']})" if e["label"] else e["value"] for e in value)
    if isinstance(field.type, Address):
        return ", ".join(value.values())
    if isinstance(field.type, Tags):
        return ", ".join(value)
    if isinstance(field.type, Content):
        return sized(value["size"])
    return str(value)


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
