"""The model of a painted list whose items say themselves what is to be known of them."""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

Index = QModelIndex | QPersistentModelIndex


class Item(Protocol):
    """One of a list; who `rests` is no stop on the way through it."""

    @property
    def title(self) -> str:
        """What it is called."""

    @property
    def rests(self) -> bool:
        """Whether it is a heading or its like."""

    def sentence(self) -> str:
        """All of it in one sentence for screen readers."""


T = TypeVar("T", bound=Item)


class Items(QAbstractListModel, Generic[T]):
    """What a list shows, taken anew as a whole."""

    def __init__(self, parent: QObject, *, tips: bool = False) -> None:
        """With `tips`, a pointer that stays hears the sentence as well."""
        super().__init__(parent)
        self.items: tuple[T, ...] = ()
        self._said = {Qt.ItemDataRole.AccessibleTextRole}
        if tips:
            self._said.add(Qt.ItemDataRole.ToolTipRole)

    def use(self, items: tuple[T, ...]) -> None:
        """Show these."""
        self.beginResetModel()
        self.items = items
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """How many there are."""
        return 0 if parent.isValid() else len(self.items)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Whether one can be chosen."""
        if index.isValid() and self.items[index.row()].rests:
            return Qt.ItemFlag.NoItemFlags
        return super().flags(index)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """The item itself, its title, or its sentence."""
        if not index.isValid():
            return None
        item = self.items[index.row()]
        if role == Qt.ItemDataRole.UserRole:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.title
        return item.sentence() if role in self._said else None
