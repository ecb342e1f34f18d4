"""Records that begin from another one: a note about it, and the fields by which a new one refers to it."""

from __future__ import annotations

from typing import Final

from app.store.records import Record
from app.viewmodels import reading, words
from sync.protocol.fields import Value
from sync.protocol.kinds import KINDS, Kind

SUBJECT_MAX: Final = 200  # letters of a note that stand as its subject


def of(text: str, record: Record, now_ms: int) -> tuple[Kind, dict[str, Value]]:
    """A note about a record, as an activity of now: its kind and values."""
    kind = KINDS["activity"]
    text = text.strip()
    first, _line, rest = text.partition("\n")
    values: dict[str, Value] = {"subject": first[:SUBJECT_MAX], "type": "note", **referring(kind, record)}
    if rest or len(first) > SUBJECT_MAX:
        values["about"] = text
    values["at"] = {"at": now_ms, "zone": words.zone()}
    return kind, values


def referring(kind: Kind, record: Record) -> dict[str, Value]:
    """Fields by which a new record of a kind refers to a record, and to the customer that this one belongs to."""
    fields = {other.name: by.name for other, by in reading.referring(record.kind)}
    values: dict[str, Value] = {}
    if kind.name in fields:
        values[fields[kind.name]] = record.id
    customer = record.values.get("customer")
    if customer is not None and "customer" in kind.by_name:
        values.setdefault("customer", customer)
    return values
