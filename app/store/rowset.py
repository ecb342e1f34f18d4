"""A set of rowids in bounded memory: one byte for each record of a kind, however many are in it."""

from __future__ import annotations

import zlib
from array import array
from collections import deque
from collections.abc import Iterable
from itertools import repeat
from typing import Final

_ROOM: Final = 4096


class RowSet:
    """Rowids, each once; they come out rising."""

    def __init__(self, rowids: Iterable[int] = ()) -> None:
        self._flags = bytearray()
        self._count = 0
        self.add(rowids)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, rowid: int) -> bool:
        return 0 <= rowid < len(self._flags) and self._flags[rowid] != 0

    def add(self, rowids: Iterable[int]) -> None:
        """Put rowids in."""
        some = rowids if isinstance(rowids, array) else array("q", rowids)
        if some:
            missing = max(some) + 1 - len(self._flags)
            if missing > 0:
                self._flags.extend(bytes(missing + _ROOM))
            self._mark(some, 1)

    def drop(self, rowids: Iterable[int]) -> None:
        """Take rowids out."""
        known = len(self._flags)
        self._mark(array("q", (rowid for rowid in rowids if rowid < known)), 0)

    def after(self, rowid: int, most: int) -> array[int]:
        """The next rowids after one, at most so many."""
        found = array("q")
        at = rowid
        while len(found) < most and (at := self._flags.find(1, at + 1)) >= 0:
            found.append(at)
        return found

    def packed(self) -> bytes:
        """The set in a few bytes, to be kept or sent on."""
        return zlib.compress(self._flags, 1)

    @classmethod
    def unpacked(cls, data: bytes) -> RowSet:
        """The set that `packed` gave."""
        made = cls()
        made._flags[:] = zlib.decompress(data)
        made._count = made._flags.count(1)
        return made

    def copy(self) -> RowSet:
        """The same rowids in a set of its own."""
        made = RowSet()
        made._flags[:] = self._flags
        made._count = self._count
        return made

    def _mark(self, rowids: array[int], flag: int) -> None:
        # A loop that never leaves C: a hundred thousand rows are marked while one frame is painted.
        deque(map(self._flags.__setitem__, rowids, repeat(flag)), maxlen=0)
        self._count = self._flags.count(1)
