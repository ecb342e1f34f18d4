"""A record's address, `kind/id`: what the palette, a notification and a link understand alike."""

from __future__ import annotations

from sync.protocol.ids import id_text, parse_id
from sync.protocol.kinds import KINDS

Address = tuple[str, bytes]


def written(kind: str, id_: bytes) -> str:
    """The address of a record, such as `customer/0190a6c2-…`."""
    return f"{kind}/{id_text(id_)}"


def read(text: str) -> Address | None:
    """The kind's name and the 16 bytes of the id that an address gives; None for any other text."""
    kind, slash, id_ = text.strip().partition("/")
    if not slash or kind.lower() not in KINDS:
        return None
    try:
        return kind.lower(), parse_id(id_)
    except ValueError:
        return None
