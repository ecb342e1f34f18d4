"""Where each record of a long list stands: rowids in order, found by place and by rowid, changed without moving all.

A million rowids lie in blocks of a thousand. A second array tells for each rowid its block, so that neither
question reads more than one block: six bytes a record, and a few microseconds whichever way.
"""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final

BLOCK: Final = 1024

# Four bytes for a rowid: the home of a higher one would be no smaller than that many rows. Two for the name of a block,
# until there have been more blocks than these can tell apart.
_ROWID: Final = "I"
_NAME: Final = "H"
_NAME_LAST: Final = 65_535
_NAME_WIDE: Final = "I"


class Places:
    """Rowids in the order of a list, each once. Reading it changes nothing, so another thread may do so meanwhile."""

    def __init__(self, rowids: Sequence[int] = ()) -> None:
        self._blocks: list[array[int]] = []
        self._names: list[int] = []  # what the home of a rowid names; blocks come in between, names stay
        self._home: array[int] = array(_NAME)  # by rowid: the name of its block, 0 for none
        self._next = 1
        self._starts: list[int] = []
        self._standing: dict[int, int] = {}
        self._count = 0
        if rowids:
            self.extend(rowids)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, at: int) -> int:
        if not 0 <= at < self._count:
            raise IndexError(at)
        block = bisect_right(self._starts, at) - 1
        return self._blocks[block][at - self._starts[block]]

    def __contains__(self, rowid: int) -> bool:
        return 0 <= rowid < len(self._home) and self._home[rowid] != 0

    def at(self, rowid: int | None) -> int:
        """Where a rowid stands; -1 when it is not in the list."""
        if rowid is None or rowid not in self:
            return -1
        block = self._standing[self._home[rowid]]
        return self._starts[block] + self._blocks[block].index(rowid)

    def highest(self) -> int:
        """No rowid in the list is above this one."""
        return len(self._home) - 1

    def span(self, start: int, stop: int) -> array[int]:
        """The rowids from one place up to another; places outside the list are left out."""
        start, stop = max(0, start), min(stop, self._count)
        found = array(_ROWID)
        if start >= stop:
            return found
        block = bisect_right(self._starts, start) - 1
        while start < stop:
            inside = start - self._starts[block]
            found.extend(self._blocks[block][inside : inside + stop - start])
            start = self._starts[block] + len(self._blocks[block])
            block += 1
        return found

    def extend(self, rowids: Sequence[int]) -> None:
        """Put rowids at the end; those that are in the list already keep their place."""
        if not rowids:
            return
        self._grow(max(rowids))
        for at in range(0, len(rowids), BLOCK):
            block = array(_ROWID, rowids[at : at + BLOCK])
            home = self._home
            if any(map(home.__getitem__, block)):
                block = array(_ROWID, (rowid for rowid in block if not home[rowid]))
            if block:
                self._add_block(len(self._blocks), block)
        self._settle()

    def change(self, gone: Iterable[int], placed: Sequence[tuple[int, int]]) -> None:
        """Take rowids out, then put others in: (place, rowid), the place among those that stayed, rising."""
        for rowid in gone:
            if rowid in self:
                self._blocks[self._standing[self._home[rowid]]].remove(rowid)
                self._home[rowid] = 0
        self._settle()
        if placed and not self._blocks:
            self.extend([rowid for _at, rowid in placed])
            return
        # From the last to the first: what is put in moves no place that is still to come.
        for at, rowid in reversed(placed):
            self._put(at, rowid)
        self._settle()

    # -- inside

    def _grow(self, rowid: int) -> None:
        missing = rowid + 1 - len(self._home)
        if missing > 0:
            self._home.frombytes(bytes(self._home.itemsize * (missing + BLOCK)))

    def _add_block(self, where: int, block: array[int]) -> None:
        name = self._next
        self._next += 1
        if name > _NAME_LAST and self._home.typecode == _NAME:
            self._home = array(_NAME_WIDE, self._home)
        home = self._home
        self._blocks.insert(where, block)
        self._names.insert(where, name)
        for rowid in block:
            home[rowid] = name

    def _put(self, at: int, rowid: int) -> None:
        if rowid in self:
            return
        self._grow(rowid)
        where = bisect_right(self._starts, min(at, self._count - 1)) - 1
        self._blocks[where].insert(at - self._starts[where], rowid)
        self._home[rowid] = self._names[where]

    def _settle(self) -> None:
        """After a change: no block empty or too long, and where each stands."""
        for where in range(len(self._blocks) - 1, -1, -1):
            block = self._blocks[where]
            if not block:
                del self._blocks[where], self._names[where]
            elif len(block) > 2 * BLOCK:
                self._blocks[where] = block[:BLOCK]
                for at in range(BLOCK, len(block), BLOCK):
                    self._add_block(where + at // BLOCK, block[at : at + BLOCK])
        self._starts = [0, *itertools.accumulate(map(len, self._blocks))]
        self._count = self._starts.pop()
        self._standing = {name: at for at, name in enumerate(self._names)}
