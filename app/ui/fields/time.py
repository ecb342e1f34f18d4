"""Editors of days and moments: a line to type in, and a calendar beside it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from PySide6.QtCore import QDate, QLocale, QPoint, Qt
from PySide6.QtWidgets import QCalendarWidget, QLineEdit, QVBoxLayout, QWidget

from app.ui.fields.base import FieldEditor, line, row_of, show_text
from app.ui.kit.buttons import Button, icon_button
from app.ui.theme import fonts
from app.ui.theme.tokens import S4
from app.viewmodels import words
from sync.protocol import texts
from sync.protocol.fields import Field, Value
from sync.protocol.texts import gettext as _

_SHORT = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})")


class DateEditor(FieldEditor):
    """A day as 2026-11-22, typed or chosen."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._line = line(name, "2026-11-22")
        self._line.setMaximumWidth(fonts.px(120))
        self._button = calendar_button(self, self._line, name, self._chosen)
        row = row_of(self, S4)
        row.addWidget(self._line)
        row.addWidget(self._button)
        row.addStretch(1)
        self._line.textEdited.connect(lambda text: self.typed.emit(iso_text(text)))
        self.watch_focus(self._line, self._button)
        self.setFocusProxy(self._line)

    def show_value(self, value: Value) -> None:
        """Show a day."""
        show_text(self._line, value or "")

    def first(self) -> QWidget:
        """The line."""
        return self._line

    def _chosen(self, iso: str) -> None:
        show_text(self._line, iso)
        self.typed.emit(iso)


class InstantEditor(FieldEditor):
    """A moment: a day and a time of that day, in the zone in which it was said."""

    def __init__(self, field: Field, name: str) -> None:
        super().__init__(field, name)
        self._zone = words.zone()
        self._day = line(_("{field}, day").format(field=name), "2026-11-22")
        self._day.setMaximumWidth(fonts.px(120))
        self._time = line(_("{field}, time").format(field=name), "14:30")
        self._time.setMaximumWidth(fonts.px(80))
        self._button = calendar_button(self, self._day, name, self._chosen)
        row = row_of(self, S4)
        row.addWidget(self._day)
        row.addWidget(self._button)
        row.addWidget(self._time)
        row.addStretch(1)
        for each in (self._day, self._time):
            each.textEdited.connect(self._told)
        self.watch_focus(self._day, self._time, self._button)
        self.setFocusProxy(self._day)

    def show_value(self, value: Value) -> None:
        """Show a moment in its own zone."""
        if value is None:
            self._zone = words.zone()
            show_text(self._day, "")
            show_text(self._time, "")
            return
        self._zone = value["zone"]
        moment = dt.datetime.fromtimestamp(value["at"] / 1000, dt.UTC).astimezone(self._here())
        show_text(self._day, moment.date().isoformat())
        show_text(self._time, moment.strftime("%H:%M"))

    def first(self) -> QWidget:
        """The day."""
        return self._day

    def _chosen(self, iso: str) -> None:
        show_text(self._day, iso)
        self._told()

    def _told(self) -> None:
        day, time = iso_text(self._day.text()), self._time.text().strip()
        if not day and not time:
            self.put.emit(None)
            return
        try:
            moment = dt.datetime.fromisoformat(f"{day} {time or '12:00'}").replace(tzinfo=self._here())
        except ValueError:
            self.typed.emit(f"{day} {time}")  # the field itself says what is wrong with it
            return
        self.put.emit({"at": int(moment.timestamp() * 1000), "zone": self._zone})

    def _here(self) -> dt.tzinfo:
        try:
            return ZoneInfo(self._zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return dt.UTC


def iso_text(text: str) -> str:
    """A typed day as ISO text where it is meant so: 2026.1.5 and 2026/1/5 too; all else as it is."""
    found = _SHORT.fullmatch(text.strip())
    if found is None:
        return text.strip()
    year, month, day = found.groups()
    return f"{year}-{int(month):02}-{int(day):02}"


class _Calendar(QWidget):
    """A month to choose a day from, that closes when one is chosen."""

    def __init__(self, owner: QWidget, at: str) -> None:
        super().__init__(owner, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.month = QCalendarWidget(self)
        self.month.setLocale(QLocale(texts.language()))
        self.month.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.month.setAccessibleName(_("Calendar"))
        found = QDate.fromString(at, Qt.DateFormat.ISODate)
        if found.isValid():
            self.month.setSelectedDate(found)
        column = QVBoxLayout(self)
        column.setContentsMargins(S4, S4, S4, S4)
        column.addWidget(self.month)


def calendar_button(owner: QWidget, beside: QLineEdit, name: str, chosen: Callable[[str], None]) -> Button:
    """A button that drops a calendar below `beside`; `chosen(iso)` is called with the day."""
    button = icon_button("today", _("{field}, choose a day").format(field=name))

    def drop() -> None:
        popup = _Calendar(owner, beside.text())

        def take(day: QDate) -> None:
            popup.close()
            chosen(day.toString(Qt.DateFormat.ISODate))

        popup.month.clicked.connect(take)
        popup.month.activated.connect(take)
        popup.move(beside.mapToGlobal(QPoint(0, beside.height() + S4)))
        popup.show()
        popup.month.setFocus()

    button.clicked.connect(drop)
    return button
