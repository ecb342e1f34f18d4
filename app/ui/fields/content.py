"""What stands in a form for an attached file: its size, to be looked at; the file is opened on its record's page."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from app.ui.fields.base import FieldEditor, line, row_of, show_text
from sync.protocol.fields import Field, Value
from sync.protocol.joins import sized


class ContentEditor(FieldEditor):
    """The size of a file, in a line that nobody can type in."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._line = line(name)
        self._line.setReadOnly(True)
        row_of(self).addWidget(self._line)
        self.watch_focus(self._line)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show how large the file is."""
        show_text(self._line, "" if value is None else sized(value["size"]))

    def set_usable(self, usable: bool) -> None:
        """Nobody changes a file here, whatever their role."""

    def first(self) -> QWidget:
        """The line."""
        return self._line
