"""How a long list is read: its first rows at once, then all rowids in pieces, then only what changes.

Every function and step here runs on the store's thread and takes some tens of milliseconds at most, so that
whoever types or scrolls meanwhile waits no longer.
"""

from __future__ import annotations

import time
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any, Final

from app.store import lists, narrowing, orders
from app.store.filters import Filter
from app.store.orders import After, Sort
from app.store.reader import Reader
from app.store.schema import Shape
from app.viewmodels import reading
from app.viewmodels.places import Places
from app.viewmodels.reading import Shown
from sync.protocol.kinds import Kind
from sync.protocol.quiet import Quiet

FIRST: Final = 64  # rows of the first look
LOOKED: Final = 1_000  # records that the first look goes through for them
PATIENCE_S: Final = 0.03  # for one step
PATCHED_MAX: Final = 128  # records that are put in place one by one; more are read anew
_SPARSE: Final = 32  # below one in so many, the order of matches is asked for them alone
_KEYS: Final = 2_000  # ordered values read in one step

Order = tuple[Kind, Filter, str]


class First(Quiet, frozen=True):
    """The first rows of a list; `total` is how many it has, None while nobody knows."""

    places: Places
    rows: Mapping[int, Shown]
    total: int | None


def first(store: Reader, asked: Order, now_ms: int) -> First:
    """What a list shows before all of it is known."""
    kind, filter_, order = asked
    shape = store.shapes[kind.name]
    sort = orders.sort_of(store, shape, order)
    rowids, after = orders.walk(store, shape, sort, None, LOOKED if filter_ else FIRST)
    if filter_:
        rowids = narrowing.keep(store, shape, filter_, rowids)
    total = store.counts()[kind.name] if not filter_ else len(rowids) if after is None else None
    rowids = rowids[:FIRST]
    return First(Places(rowids), reading.rows(store, kind, rowids, now_ms), total)


class Load:
    """One reading of all rowids of a list, step by step."""

    def __init__(self, asked: Order) -> None:
        self.places = Places()
        self.rows: Mapping[int, Shown] = {}
        self._asked = asked
        self._matching: array[int] | None = None if asked[1] else array("q")
        self._scanned = 0
        self._last = 0
        self._found = array("q")
        self._keys: dict[int, Any] = {}
        self._flags: bytearray | None = None
        self._after: After | None = None

    def step(self, store: Reader, looked_at: range, seen: Sequence[int], now_ms: int) -> bool:
        """Go on for a while; whether that was the end. The rows in view are read with the last step."""
        kind, filter_, order = self._asked
        shape = store.shapes[kind.name]
        sort = orders.sort_of(store, shape, order)
        end = time.monotonic() + PATIENCE_S
        while True:
            if self._matching is None:
                self._scan(store, shape, filter_)
            elif self._go_on(store, shape, sort, bool(filter_)):
                wanted = dict.fromkeys((*self.places.span(looked_at.start, looked_at.stop), *seen))
                self.rows = reading.rows(
                    store, kind, [each for each in wanted if each in self.places], now_ms
                )
                return True
            if time.monotonic() > end:
                return False

    def found(self) -> int:
        """How many matches there are so far."""
        return len(self._found)

    def _scan(self, store: Reader, shape: Shape, filter_: Filter) -> None:
        """Which records match, by ranges of rowids."""
        if not self._scanned:
            self._last = narrowing.last_rowid(store, shape)
        until = self._scanned + narrowing.SPAN
        self._found.extend(narrowing.scan(store, shape, filter_, self._scanned + 1, until))
        self._scanned = until
        if until >= self._last:
            self._matching = self._found

    def _go_on(self, store: Reader, shape: Shape, sort: Sort, narrowed: bool) -> bool:
        """In which order they stand; whether all are in place."""
        if narrowed and sort.index and len(self._found) * _SPARSE < self._last:
            return self._sort(store, shape, sort)
        piece, self._after = orders.walk(store, shape, sort, self._after)
        if narrowed:
            piece = self._those_matching(piece)
        self.places.extend(piece)
        return self._after is None

    def _sort(self, store: Reader, shape: Shape, sort: Sort) -> bool:
        """A few: by what each is ordered, asked row by row."""
        known = len(self._keys)
        some = self._found[known : known + _KEYS]
        self._keys.update(dict.fromkeys(some))
        self._keys.update(orders.keys(store, shape, sort, some))
        if len(self._keys) < len(self._found):
            return False
        pairs = [(key, rowid) for rowid, key in self._keys.items() if key is not None]
        pairs.sort(reverse=sort.down)
        empty = [rowid for rowid, key in self._keys.items() if key is None]
        empty.sort(reverse=sort.down)
        self.places.extend(array("q", [*(rowid for _key, rowid in pairs), *empty]))
        return True

    def _those_matching(self, piece: array[int]) -> array[int]:
        """Many: the order of all records, without those that do not match; one byte for each record says which."""
        if self._flags is None:
            self._flags = bytearray(self._last + 1)
            for rowid in self._found:
                self._flags[rowid] = 1
        flags, last = self._flags, self._last
        if piece and max(piece) > last:  # made since; its own news will bring it
            piece = array("q", (rowid for rowid in piece if rowid <= last))
        return array("q", compress(piece, map(flags.__getitem__, piece)))


class Patch(Quiet, frozen=True):
    """What changes in a list: rowids that leave their place, (place among the others, rowid) where they go."""

    gone: tuple[int, ...]
    placed: tuple[tuple[int, int], ...]
    rows: Mapping[int, Shown]


def patch(
    store: Reader, asked: Order, places: Places, ids: Sequence[bytes], in_view: Sequence[int], now_ms: int
) -> Patch | None:
    """Where these records stand now; None when that takes a new reading of the list.

    Their neighbours are found by halving, a row read for each half, so a million takes twenty.
    """
    kind, filter_, order = asked
    shape = store.shapes[kind.name]
    sort = orders.sort_of(store, shape, order)
    touched = lists.rowids_of(store, kind, ids)
    if not sort.index or len(touched) < len(ids):
        return None  # an order that does not compare plainly, or records that left this device
    kept = narrowing.keep(store, shape, filter_, touched)
    keys = orders.keys(store, shape, sort, kept)
    gone = [rowid for rowid in touched if rowid in places]
    steps = sorted(places.at(rowid) for rowid in gone)
    before = [at - passed for passed, at in enumerate(steps)]
    known: dict[int, After] = {}

    def row(at: int) -> After | None:
        """The row at a place among those that stay."""
        rowid = places[at + bisect_right(before, at)]
        if rowid not in known:
            found = orders.keys(store, shape, sort, (rowid,))
            if rowid not in found:
                return None
            known[rowid] = (found[rowid], rowid)
        return known[rowid]

    placed: list[tuple[int, After]] = []
    for rowid in kept:
        low, high = 0, len(places) - len(gone)
        while low < high:
            middle = (low + high) // 2
            other = row(middle)
            if other is None:
                return None
            if sort.precedes(other, (keys[rowid], rowid)):
                low = middle + 1
            else:
                high = middle
        placed.append((low, (keys[rowid], rowid)))
    ordered = [(at, pair[1]) for at, pair in _in_order(sort, placed)]
    rows = reading.rows(store, kind, list(dict.fromkeys((*in_view, *kept))), now_ms)
    return Patch(tuple(gone), tuple(ordered), rows)


def _in_order(sort: Sort, placed: list[tuple[int, After]]) -> list[tuple[int, After]]:
    """By place, and those that come to one place by the order of the list."""
    filled = sorted(
        (each for each in placed if each[1][0] is not None), key=lambda each: each[1], reverse=sort.down
    )
    empty = sorted(
        (each for each in placed if each[1][0] is None), key=lambda each: each[1][1], reverse=sort.down
    )
    return sorted((*filled, *empty), key=lambda each: each[0])
