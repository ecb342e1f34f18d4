"""What one line at the foot of the workplace tells of something just done."""

from __future__ import annotations

import msgspec


class Aside(msgspec.Struct, frozen=True):
    """One line that tells of something just done; `undoes` when it can be taken back.

    `left` counts the records that it tells of as gone from this device.
    """

    text: str
    undoes: bool = False
    left: int = 0
