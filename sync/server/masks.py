"""What stands in place of cells that somebody may not see who may see that the record is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sync.protocol.fields import Address, Care, Content, Field, Notes, Several, Text
from sync.protocol.kinds import KINDS
from sync.protocol.kinds.pairs import is_pair
from sync.server.access import Rights, nameless

_DOTS: Final = "•••"
_DIGITS: Final = 2  # of a phone are shown to people who work with the record, where it has enough of them
_ENOUGH: Final = 7


def seen(rights: Rights, kind: str, cells: Mapping[str, Any]) -> dict[str, Any]:
    """The cells as this person sees them: what needs more care is masked or left out, as is what we do not know."""
    care = rights.care
    if care >= Care.RESTRICTED:
        return dict(cells)
    known = KINDS.get(kind)
    shown: dict[str, Any] = {}
    if known is None:
        return shown
    for cell, value in cells.items():
        field = known.by_name.get(cell.partition("/")[0])
        if value is not None and is_pair(cell):
            shown[cell] = value
        if field is None or value is None:
            continue
        if field.care <= care:
            shown[cell] = value
        elif (hidden := _hidden(field, value, hinting=not nameless(rights))) is not None:
            shown[cell] = hidden
    return shown


def _hidden(field: Field, value: Any, *, hinting: bool) -> Any:
    """A value of the same type that tells nothing about anybody, with `hinting` little; None leaves the cell out."""
    if field.care >= Care.RESTRICTED and not field.required:
        return None
    if isinstance(field.type, Several) and isinstance(value, Mapping):
        dots = f"{_DOTS}@{_DOTS}" if field.type.of == "email" else _DOTS
        if hinting and field.type.of == "phone":
            dots += _last_digits(str(value.get("value") or ""))
        return {"label": str(value.get("label") or ""), "value": dots}
    if isinstance(field.type, Address) and isinstance(value, Mapping):
        country = value.get("country")
        return {"country": country} if country else None
    if isinstance(field.type, (Text, Notes)):
        return _DOTS
    if isinstance(field.type, Content):
        return {"sha256": bytes(32), "size": 0, "key": bytes(32)}
    return None


def _last_digits(phone: str) -> str:
    digits = [each for each in phone if each.isdecimal()]
    return "".join(digits[-_DIGITS:]) if len(digits) >= _ENOUGH else ""
