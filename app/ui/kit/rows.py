"""Rows of a painted list: what one row says, where rows come from, and the Qt model over them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

import msgspec
from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.ui.kit.marks import Mark
from app.ui.kit.paint import Tone
from sync.protocol.joins import spoken

Index = QModelIndex | QPersistentModelIndex


class Row(msgspec.Struct, frozen=True):
    """What one row says, ready to be painted.

    `right` stands at the right of the title (how long ago), `figure` below it (a sum), `word` before `right`
    when there is something to say ("waiting"), in the ink of `tone`. Marks are of `title` and `second`.
    `spoken` is the sentence for screen readers; empty means title, second line and word. `picked` puts a tick into
    the box that rows have while some are selected.
    """

    title: str
    second: str = ""
    right: str = ""
    figure: str = ""
    word: str = ""
    tone: Tone = Tone.WARN
    marks: tuple[Mark, ...] = ()
    second_marks: tuple[Mark, ...] = ()
    spoken: str = ""
    picked: bool = False

    def sentence(self) -> str:
        """The row in one sentence for screen readers."""
        return self.spoken or spoken((self.title, self.second, self.word))


class RowRole(IntEnum):
    """What a model over rows answers, beside DisplayRole (title) and AccessibleTextRole (sentence)."""

    ROW = int(Qt.ItemDataRole.UserRole) + 1
    TITLE = ROW + 1
    SECOND = ROW + 2
    RIGHT = ROW + 3
    FIGURE = ROW + 4
    WORD = ROW + 5


class RowSource(Protocol):
    """Where rows come from; both calls run on the GUI thread and must not wait."""

    def count(self) -> int:
        """How many rows there are."""

    def row(self, at: int) -> Row | None:
        """The row at that place, or None while it is being fetched."""


@dataclass(frozen=True)
class FixedRows:
    """A source over rows that are already there."""

    rows: tuple[Row, ...] = ()

    def count(self) -> int:
        """How many rows there are."""
        return len(self.rows)

    def row(self, at: int) -> Row | None:
        """The row at that place."""
        return self.rows[at]


class RowsModel(QAbstractListModel):
    """A Qt model over a source of rows; asks the source for a row only when it is looked at."""

    def __init__(self, source: RowSource | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._source: RowSource = source or FixedRows()
        self._count = self._source.count()

    def use(self, source: RowSource) -> None:
        """Show another source, or the same after its count changed; the chosen row is lost."""
        self.beginResetModel()
        self._source = source
        self._count = source.count()
        self.endResetModel()

    def changed(self, first: int, last: int) -> None:
        """Rows `first` to `last` say something else now; their number is the same."""
        if self._count:
            last = min(last, self._count - 1)
            self.dataChanged.emit(self.index(max(0, first), 0), self.index(last, 0))

    def row(self, at: int) -> Row | None:
        """The row at that place, None while it is being fetched."""
        return self._source.row(at)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Number of rows; a row has no rows below it."""
        return 0 if parent.isValid() else self._count

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        """Nothing: a screen reader would say the number of a hidden header before each row."""
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """What the row says under that role, or None."""
        if not index.isValid() or not 0 <= index.row() < self._count:
            return None
        reader = _READERS.get(int(role))
        if reader is None:
            return None
        row = self._source.row(index.row())
        return None if row is None else reader(row)


_READERS = {
    int(RowRole.ROW): lambda row: row,
    int(RowRole.TITLE): lambda row: row.title,
    int(RowRole.SECOND): lambda row: row.second,
    int(RowRole.RIGHT): lambda row: row.right,
    int(RowRole.FIGURE): lambda row: row.figure,
    int(RowRole.WORD): lambda row: row.word,
    int(Qt.ItemDataRole.DisplayRole): lambda row: row.title,
    int(Qt.ItemDataRole.AccessibleTextRole): lambda row: row.sentence(),
}
