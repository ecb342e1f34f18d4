"""JSON of signed documents, read strictly: nothing that two readers could read differently, or that exhausts one."""

from __future__ import annotations

import json
from typing import Any, Final

from sync.protocol.errors import Refused
from sync.protocol.texts import gettext as _

DOCUMENT_MAX: Final = 64 * 2**10  # bytes of an envelope
DEPTH_MAX: Final = 16
INT_MAX: Final = 2**63 - 1


def scan(data: bytes) -> None:
    """Refuse JSON that two readers could read differently, and JSON made to exhaust one. Raises Refused."""
    if len(data) > DOCUMENT_MAX:
        raise Refused("size", _("A signed document is too large."))
    try:
        found = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_no_twins,
            parse_constant=_no_number,
            parse_float=_no_number,
            parse_int=_small_number,
        )
        # A lone surrogate is written in JSON as an escape; it is no text, and not every reader stops at it.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise Refused("json", _("A signed document is damaged.")) from None
    if not isinstance(found, dict) or too_deep(found):
        raise Refused("json", _("A signed document is damaged."))


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("doubled key")
    return found


def _no_number(text: str) -> Any:
    raise ValueError("no such number")


def _small_number(text: str) -> int:
    number = int(text)
    if abs(number) > INT_MAX:
        raise ValueError("too large a number")
    return number


def too_deep(value: Any) -> bool:
    """Whether lists and maps stand within one another more than DEPTH_MAX levels deep."""
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEPTH_MAX:
            return True
        level = [
            item
            for each in level
            if isinstance(each, (dict, list))
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return False
