"""The bar over a list that says how many rows are selected, what can be done with them, and how far that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.services.many import MANY
from app.store.bulk import Selection, Setting
from app.ui.kit.announcing import announce
from app.ui.kit.buttons import Button, Part, icon_button
from app.ui.kit.text import Line
from app.ui.question import take_away
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import S4, S8, Colour, Step
from app.viewmodels import act_words, words
from app.viewmodels.desk import Desk
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

if TYPE_CHECKING:
    from app.ui.setting_panel import SettingPanel
    from app.ui.sure_panel import SurePanel

_HEIGHT: Final = 52
_PROGRESS: Final = 3


class Progress(QWidget):
    """A thin line that fills."""

    def __init__(self) -> None:
        super().__init__()
        self._part = 0.0
        self.setFixedHeight(_PROGRESS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_part(self, part: float) -> None:
        """Fill it, from 0 to 1."""
        self._part = part
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), ink(Colour.LINE))
        painter.fillRect(QRectF(0, 0, self.width() * self._part, self.height()), ink(Colour.ACCENT))


class SelectionBar(QFrame):
    """Stands in the place of the list's head.

    `left()` asks for the focus to go back into the list;
    `restacked()` says that the stops are others now.
    """

    left = Signal()
    restacked = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setProperty("part", "acting")
        self._desk = desk
        self._panel: SettingPanel | SurePanel | None = None
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QWidget()
        head.setFixedHeight(fonts.px(_HEIGHT) - _PROGRESS)
        row = QHBoxLayout(head)
        row.setContentsMargins(S4, 0, S8, 0)
        row.setSpacing(S4)
        self._clear = icon_button("close", _("Select nothing"))
        self._clear.clicked.connect(self.clear)
        self._told = Line("", Step.BODY, semibold=True)
        self._set = Button(_("Set …"), Part.LINK)
        self._set.clicked.connect(self.ask)
        self._export = Button(_("Export …"), Part.LINK)
        self._export.clicked.connect(self.export)
        self._delete = Button(_("Delete"), Part.LINK)
        self._delete.clicked.connect(self.delete)
        self._stop = Button(_("Stop"), Part.LINK)
        self._stop.clicked.connect(desk.acting.cancel)
        row.addWidget(self._clear)
        row.addWidget(self._told, 1)
        for button in (self._set, self._export, self._delete, self._stop):
            row.addWidget(button)
        column.addWidget(head)
        self._progress = Progress()
        column.addWidget(self._progress)
        self._place = QVBoxLayout()
        column.addLayout(self._place)
        self._spoken = ""
        self.refresh()

    def wanted(self) -> bool:
        """Whether there is something to say."""
        return self._desk.acting.running or bool(len(self._desk.sections.picked))

    def refresh(self) -> None:
        """Show what is selected, or how far an act is."""
        acting = self._desk.acting
        running = acting.running
        text = ""
        if running:
            text = act_words.progress(acting.going, acting.at, acting.total, acting.seconds_left())
        elif self.wanted():
            text = self._count()
        self._told.setText(text)
        self._progress.show_part(acting.at / acting.total if running and acting.total else 0.0)
        for button in (self._clear, self._set, self._export, self._delete):
            changes = button in (self._set, self._delete)
            button.setVisible(not running and (self._desk.may_change or not changes))
        self._stop.setVisible(running)
        self._stop.setEnabled(not acting.stopping)
        stays = _("What is done already stays, and can be undone.") if acting.stays else ""
        self._stop.setToolTip(stays)
        self._stop.setAccessibleDescription(stays)
        if running or not self.wanted():
            self._close()
        if not running and self.wanted() and text != self._spoken:
            self._spoken = text
            announce(self, text)

    def _count(self) -> str:
        count = len(self._desk.sections.picked)
        return ngettext("{n} selected", "{n} selected", count).format(n=words.number(count))

    # -- what a person does

    def ask(self) -> None:
        """Ask which field is to be set to what."""
        from app.ui.setting_panel import (
            SettingPanel,  # editors of values: nobody waits for them with the first list
        )

        panel = SettingPanel(self._desk)
        panel.chosen.connect(self._act)
        panel.restacked.connect(self.restacked)
        self._open(panel)

    def delete(self) -> None:
        """Delete all that is selected; a line says so and offers to undo."""
        self._act(None)

    def _act(self, setting: Setting | None) -> None:
        """Set a field, or delete; very many are asked about once, with their number and the value."""
        desk, selection = self._desk, self._desk.sections.picked.selection()
        if selection.count <= MANY:
            self._do(selection, setting)
            return
        from app.ui.sure_panel import SurePanel

        asked = act_words.question(selection.kind, setting, selection.count, desk.sections.names)
        verb, part = (
            (_("Delete"), Part.DANGER) if setting is None else (_("Set for all selected"), Part.PLAIN)
        )
        more = _("You can stop on the way, and take all of it back with “Undo”.")
        panel = SurePanel(asked, more, verb, part)
        panel.sure.connect(lambda: self._do(selection, setting))
        self._open(panel)

    def _do(self, selection: Selection, setting: Setting | None) -> None:
        self._desk.acting.do(selection, setting)
        if setting is None:
            self._desk.sections.picked.clear()
        self._leave_panel()

    def _open(self, panel: SettingPanel | SurePanel) -> None:
        self._close()
        self._panel = panel
        panel.done.connect(self._leave_panel)
        self._place.addWidget(panel)
        panel.show()
        self.restacked.emit()
        panel.enter()

    def export(self) -> None:
        """Write all that is selected to a file."""
        if not self._desk.acting.may_export():
            return
        from PySide6.QtWidgets import QFileDialog

        name, _filter = QFileDialog.getSaveFileName(
            self, _("Export"), f"{_(self._desk.list.kind.plural)}.csv", _("Tables (*.csv)")
        )
        if name:
            self.export_to(Path(name))

    def export_to(self, path: Path) -> None:
        """Write all that is selected to this file."""
        self._desk.acting.export(self._desk.sections.picked.selection(), path)
        self.left.emit()

    def clear(self) -> None:
        """Select nothing."""
        self._desk.sections.picked.clear()
        self.left.emit()

    def stops(self) -> list[QWidget]:
        """What takes the focus by Tab, in reading order."""
        own: list[QWidget] = [self._clear, self._set, self._export, self._delete, self._stop]
        return [*own, *(self._panel.stops() if self._panel else ())]

    @property
    def panel(self) -> SettingPanel | SurePanel | None:
        """The question that is open."""
        return self._panel

    def _leave_panel(self) -> None:
        self._close()
        self.left.emit()

    def _close(self) -> None:
        panel, self._panel = self._panel, None
        take_away(self._place, panel)
