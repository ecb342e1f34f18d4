"""Cells in which a record names others of its kind: those that were joined into it, and those that it is not.

They are no fields: no form, list or file has them. They travel, merge and are taken back as every cell does, one by one,
and a program that does not know them carries them. Which record keeps a cell is settled, so that two people who say the
same write the same: what was joined stands in the record that remains, "different" in the one with the lower id.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sync.protocol.ids import ID_BYTES

JOINED: Final = "joined"
APART: Final = "apart"
CELLS: Final = frozenset((JOINED, APART))
_PAIR: Final = re.compile(f"(?:{JOINED}|{APART})/[0-9a-f]{{{2 * ID_BYTES}}}")


def is_pair(cell: str) -> bool:
    """Whether a cell names another record in one of these ways."""
    return cell[:1] in "ja" and _PAIR.fullmatch(cell) is not None


def joined(id_: bytes) -> str:
    """The cell by which a record says that another was joined into it."""
    return f"{JOINED}/{id_.hex()}"


def apart(one: bytes, other: bytes) -> tuple[bytes, str]:
    """Which of two records says that they are different, and by which cell."""
    low, high = sorted((one, other))
    return low, f"{APART}/{high.hex()}"


def named(cells: Mapping[str, Any] | Iterable[str], how: str) -> list[bytes]:
    """The records that cells name in one way."""
    return [bytes.fromhex(cell.partition("/")[2]) for cell in cells if is_pair(cell) and cell.startswith(how)]
