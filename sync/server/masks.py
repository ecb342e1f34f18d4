"""What somebody sees who may see that a record is there, but not whom it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.protocol.fields import Address, Care, Field, Notes, Several, Text
from sync.protocol.kinds import KINDS

_DOTS = "•••"


def mask(kind: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells with everything above Care.INTERNAL masked or left out; what we do not know is left out."""
    known = KINDS.get(kind)
    shown: dict[str, Any] = {}
    if known is None:
        return shown
    for cell, value in cells.items():
        field = known.by_name.get(cell.partition("/")[0])
        if field is None or value is None:
            continue
        if field.care <= Care.INTERNAL:
            shown[cell] = value
        elif (hidden := _hidden(field, value)) is not None:
            shown[cell] = hidden
    return shown


def _hidden(field: Field, value: Any) -> Any:
    """A value of the same type that tells nothing about anybody; None leaves the cell out."""
    if field.care >= Care.RESTRICTED and not field.required:
        return None
    if isinstance(field.type, Several) and isinstance(value, Mapping):
        dots = f"{_DOTS}@{_DOTS}" if field.type.of == "email" else _DOTS
        return {"label": str(value.get("label") or ""), "value": dots}
    if isinstance(field.type, Address) and isinstance(value, Mapping):
        country = value.get("country")
        return {"country": country} if country else None
    if isinstance(field.type, (Text, Notes)):
        return _DOTS
    return None
