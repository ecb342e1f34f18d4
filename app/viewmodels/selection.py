"""Which rows of a list are selected: these, or all of the filter but these; a million take no more than a few."""

from __future__ import annotations

from array import array
from typing import Final

from app.store.bulk import Selection
from app.store.rowset import RowSet
from app.viewmodels.base import Errands, Watched
from app.viewmodels.records import RecordList

AT_ONCE: Final = 20_000  # rows marked within one frame; longer stretches are marked in the background


class Picked(Watched):
    """The selection of one list. It holds on to records, not to places, and watchers hear of every change."""

    def __init__(self, rows: RecordList, errands: Errands) -> None:
        super().__init__()
        self._rows = rows
        self._errands = errands
        self._every = False
        self._set = RowSet()
        self._anchor: int | None = None  # a rowid: where a stretch began
        self._end: int | None = None
        self._turn = 0

    def __len__(self) -> int:
        return self._rows.count() - len(self._set) if self._every else len(self._set)

    def __contains__(self, rowid: int) -> bool:
        return (rowid in self._set) is not self._every

    def has(self, at: int) -> bool:
        """Whether the row at a place is selected; a row that is not here yet is when all are."""
        rowid = self._rows.rowid(at)
        return self._every if rowid is None else rowid in self

    # -- choosing

    def all(self) -> None:
        """Select everything that the list holds, what comes into it later too."""
        self._set, self._every = RowSet(), True
        self._changed()

    def clear(self) -> None:
        """Select nothing."""
        if self._every or len(self._set):
            self._set, self._every = RowSet(), False
            self._changed()

    def toggle(self, at: int) -> None:
        """Select a row, or no longer."""
        rowid = self._rows.rowid(at)
        if rowid is not None:
            _mark(self._set, array("q", (rowid,)), picked=rowid not in self._set)
            self._anchor = self._end = rowid
            self._changed()

    def reach(self, start: int, at: int) -> None:
        """Select the stretch to a row from where it began, which is `start` when it begins now.

        What a shorter stretch leaves is given back.
        """
        rows = self._rows
        anchor, end = rows.at(self._anchor), rows.at(self._end)
        begins = anchor < 0 or end != start
        if begins:
            anchor = end = start
            self._anchor = rows.rowid(start)
        self._end = rows.rowid(at)
        if self._anchor is None or self._end is None:
            return
        before, now = _stretch(anchor, end), _stretch(anchor, at)
        left, fresh = _outside(before, now), [now] if begins else _outside(now, before)
        places = rows.places()
        marks = [(places.span(each.start, each.stop), False) for each in left]
        marks += [(places.span(each.start, each.stop), True) for each in fresh]
        if sum(len(rowids) for rowids, _picked in marks) > AT_ONCE:
            self._in_background(marks)
            return
        for rowids, picked in marks:
            _mark(self._set, rowids, picked=picked is not self._every)
        self._changed()

    def selection(self) -> Selection:
        """What is selected, as it stands now, for an act that takes its time."""
        last = max(self._rows.places().highest(), 0)
        return Selection(self._rows.kind, self._every, self._set.copy(), self._rows.filter, last, len(self))

    def settle(self) -> None:
        """After the list has changed: what is no longer in it is no longer selected."""
        places, turn = self._rows.places(), self._turn
        if not len(self._set) or not self._rows.whole:
            return
        held = self._set

        def look() -> array[int]:
            gone = array("q")
            after = -1
            while some := held.after(after, AT_ONCE):
                gone.extend(rowid for rowid in some if rowid not in places)
                after = some[-1]
            return gone

        def take(gone: array[int]) -> None:
            if gone and turn == self._turn:
                self._set.drop(gone)
                self._changed()

        self._errands.run(look, take)

    # -- inside

    def _in_background(self, marks: list[tuple[array[int], bool]]) -> None:
        made, every, turn = self._set.copy(), self._every, self._turn

        def mark() -> RowSet:
            for rowids, picked in marks:
                for at in range(0, len(rowids), AT_ONCE):
                    _mark(made, rowids[at : at + AT_ONCE], picked=picked is not every)
            return made

        def take(found: RowSet) -> None:
            if turn == self._turn:
                self._set = found
                self._changed()

        self._errands.run(mark, take)

    def _changed(self) -> None:
        self._turn += 1
        self.tell()


def _mark(rows: RowSet, rowids: array[int], *, picked: bool) -> None:
    if picked:
        rows.add(rowids)
    else:
        rows.drop(rowids)


def _stretch(one: int, other: int) -> range:
    """The places from one to another, both ends in it."""
    return range(min(one, other), max(one, other) + 1)


def _outside(stretch: range, other: range) -> list[range]:
    """The parts of a stretch that lie before or after another one."""
    parts = (
        range(stretch.start, min(stretch.stop, other.start)),
        range(max(stretch.start, other.stop), stretch.stop),
    )
    return [part for part in parts if part]
