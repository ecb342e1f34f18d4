"""What one line at the foot of the workplace tells of something just done."""

from __future__ import annotations

import msgspec


class Aside(msgspec.Struct, frozen=True):
    """One line that tells of something just done; `undoes` when it can be taken back."""

    text: str
    undoes: bool = False
