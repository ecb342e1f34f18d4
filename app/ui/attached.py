"""The page of a record's files: attach by button or by dropping, open, save, take off; and how each stands here."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QDragEnterEvent, QDropEvent, QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QStackedLayout, QVBoxLayout

from app.ui.kit.announcing import announce
from app.ui.kit.buttons import Button, Part
from app.ui.kit.painted_list import PaintedList
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.rows import Row
from app.ui.kit.text import Line
from app.ui.list_pane import painted
from app.ui.theme.tokens import S8, S16, S24, Colour, Step
from app.viewmodels.attached import Attached
from sync.protocol.texts import gettext as _
from sync.protocol.texts import pgettext
from sync.protocol.uses import ATTACH, EXPORT


class _Rows:
    """The files as rows to paint."""

    def __init__(self, files: Attached) -> None:
        self._rows = [painted(row.text) for row in files.rows]

    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def row(self, at: int) -> Row | None:
        """What to paint."""
        return self._rows[at] if 0 <= at < len(self._rows) else None


class AttachedPage(QFrame):
    """`left()` is Esc. Enter or a double click opens a file, Delete takes it off."""

    left = Signal()

    def __init__(self, files: Attached, *, may_change: bool) -> None:
        super().__init__()
        self.kind = files.kind
        self._files = files
        self._may_change = may_change
        self._may_add = may_change and files.takes_more
        self._said = ""
        self.setAcceptDrops(self._may_add)
        column = QVBoxLayout(self)
        column.setContentsMargins(S24, S16, S24, S24)
        column.setSpacing(S8)
        self.rows = PaintedList(_("Attachments"))
        self.rows.opened.connect(self.open)
        self.rows.left.connect(self.left)
        self.rows.chosen.connect(lambda _at: self._show_buttons())
        column.addLayout(self._buttons())
        self.add.setVisible(self._may_add)  # once they are on the page: before, they would be windows
        self.take_off.setVisible(may_change)
        self.said = Line("", Step.SMALL, Colour.SOFT)
        column.addWidget(self.said)
        card = QFrame()
        card.setProperty("part", "card")
        self._body = QStackedLayout(card)
        self._body.setContentsMargins(1, 1, 1, 1)
        self._body.addWidget(self.rows)
        how = _("Drop files here, or choose them with “Attach”. They stay encrypted on this device.")
        self._body.addWidget(
            Placeholder(
                self.kind.icon,
                _("No {kinds} here yet").format(kinds=_(self.kind.plural).lower()),
                how if self._may_add else "",
            )
        )
        column.addWidget(card, 1)
        self._unwatch = files.watch(self._refresh)
        self._refresh()

    def _buttons(self) -> QHBoxLayout:
        self.add = Button(_("Attach …"), icon="plus")
        self.add.clicked.connect(self._choose_files)
        self.show_file = Button(pgettext("show a file in another program", "Open"))
        self.show_file.clicked.connect(lambda: self.open(self.rows.chosen_row()))
        self.save_as = Button(_("Save as …"))
        self.save_as.clicked.connect(self._choose_place)
        self.take_off = Button(_("Remove"), Part.DANGER)
        self.take_off.clicked.connect(self._remove)
        self.stop = Button(_("Stop"))
        self.stop.clicked.connect(self._files.stop)
        row = QHBoxLayout()
        row.setSpacing(S8)
        for button in (self.add, self.show_file, self.save_as, self.take_off, self.stop):
            row.addWidget(button)
        row.addStretch(1)
        return row

    # -- what is shown

    def _refresh(self) -> None:
        chosen = self.rows.chosen_row()
        self.rows.show_rows(_Rows(self._files), min(chosen, self._files.count() - 1), stay=True)
        self._body.setCurrentIndex(0 if self._files.count() or not self._files.ready else 1)
        progress = self._files.progress
        text = progress.said if progress is not None else self._files.said
        if not text and self._files.count():
            text = _(
                "Opening a file makes a copy that other programs can read, until Fieldkeep locks or ends."
            )
        self.said.setText(text)
        if text != self._said and (progress is None or not progress.percent):
            announce(self.said, text)
        self._said = text
        self._show_buttons()

    def _show_buttons(self) -> None:
        idle = self._files.progress is None
        chosen = 0 <= self.rows.chosen_row() < self._files.count()
        self.add.setEnabled(idle)
        for button in (self.show_file, self.save_as, self.take_off):
            button.setEnabled(idle and chosen)
        self.stop.setVisible(not idle)

    # -- what a person does

    def open(self, at: int) -> None:
        """Open a file in another program."""
        self._files.open(at, show_outside)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Delete takes the chosen file off; Esc leaves."""
        if event.key() == Qt.Key.Key_Delete and self.take_off.isEnabled() and self._may_change:
            self._remove()
        elif event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files may be dropped here, and nothing else."""
        if self._dropped(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Attach what is dropped."""
        paths = self._dropped(event)
        if paths:
            event.acceptProposedAction()
            self._files.attach(paths)

    def _dropped(self, event: QDropEvent) -> list[Path]:
        urls = event.mimeData().urls()
        return [
            Path(url.toLocalFile()) for url in urls if url.isLocalFile() and Path(url.toLocalFile()).is_file()
        ]

    def _choose_files(self) -> None:
        if not self._files.may(ATTACH):
            return
        from PySide6.QtWidgets import QFileDialog  # large, and no start asks for a file

        names, _filter = QFileDialog.getOpenFileNames(self, _("Attach"))
        if names:
            self._files.attach([Path(name) for name in names])

    def _choose_place(self) -> None:
        if not self._files.may(EXPORT):
            return
        from PySide6.QtWidgets import QFileDialog

        at = self.rows.chosen_row()
        name, _filter = QFileDialog.getSaveFileName(self, _("Save as"), self._files.name(at))
        if name:
            self._files.save(at, Path(name))

    def _remove(self) -> None:
        self._files.remove(self.rows.chosen_row())

    def let_go(self) -> None:
        """Stop watching: the page goes."""
        self._unwatch()
        self._files.close()


def show_outside(place: Path) -> None:
    """Have the system's program for it show a file."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(place)))
