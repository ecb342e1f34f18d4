"""What one line at the foot of the workplace tells of something just done."""

from __future__ import annotations

from pathlib import Path

import msgspec


class Aside(msgspec.Struct, frozen=True):
    """One line that tells of something just done; `undoes` when it can be taken back.

    `left` counts the records that it tells of as gone from this device; `again` are files of an import that was
    broken off, `goes_on` says that an act on many records was. Such a line stays until somebody has said what is to
    become of it.
    """

    text: str
    undoes: bool = False
    left: int = 0
    again: tuple[Path, ...] = ()
    goes_on: bool = False

    @property
    def stays(self) -> bool:
        """Whether somebody has to answer it."""
        return bool(self.again) or self.goes_on
