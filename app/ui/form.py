"""A form for any kind, built from the table: labels at the left, an error under its field, and no Save button."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from app.ui.fields.base import FieldEditor
from app.ui.fields.ref import RefEditor
from app.ui.fields.table import editor_of
from app.ui.kit.text import Paragraph, label
from app.ui.theme import fonts
from app.ui.theme.tokens import FIELD, S8, S12, S16, S24, TEXT_WIDTH, Colour, Step
from app.viewmodels import words
from app.viewmodels.editor import Editor
from app.viewmodels.one_record import OneRecord
from app.viewmodels.reading import Proposal
from sync.protocol.errors import FieldProblem
from sync.protocol.fields import Field, Ref
from sync.protocol.joins import sentences
from sync.protocol.kinds import KINDS, Kind
from sync.protocol.texts import gettext as _

PAUSE_MS: Final = 900  # without a letter, and what was typed is saved
_LABELS = 132


class _Line:
    """A field's label, its editor and the words of what is wrong with it."""

    def __init__(self, editor: FieldEditor, grid: QGridLayout, at: int) -> None:
        self.editor = editor
        text = f"{editor.name} *" if editor.field.required else editor.name
        self.label = label(text, Step.BODY, Colour.SOFT)
        self.label.setFixedHeight(fonts.px(FIELD))
        self.label.setBuddy(editor.first())
        self.error = Paragraph("", Step.SMALL, Colour.BAD)
        self.error.hide()
        self._hidden: Paragraph | None = None
        self._usable: bool | None = None
        self._grid, self._at = grid, 2 * at + 1
        grid.addWidget(self.label, 2 * at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(editor, 2 * at, 1)
        grid.addWidget(self.error, 2 * at + 1, 1)

    def show_hidden(self, hidden: bool) -> None:
        """Say that the value is hidden, or not: what stands in the field is a mask then, and nothing is not empty."""
        if hidden and self._hidden is None:
            self._hidden = Paragraph(_("Hidden on this device"), Step.SMALL, Colour.SOFT)
            self._grid.addWidget(self._hidden, self._at, 1)
        if self._hidden is not None:
            self._hidden.setVisible(hidden)
            self.editor.first().setAccessibleDescription(_("Hidden on this device") if hidden else "")

    def show_usable(self, usable: bool) -> None:
        """Have the value changed, or only looked at, where that is another than before."""
        if usable is not self._usable:
            self._usable = usable
            self.editor.set_usable(usable)

    def show_error(self, text: str) -> None:
        """Show what is wrong, or that nothing is."""
        self.editor.set_wrong(bool(text))
        self.error.setText(text)
        self.error.setVisible(bool(text))
        self.editor.first().setAccessibleDescription(text)


class Form(QScrollArea):
    """The form of one kind; `bind` lays a record into it. `left()` is Esc, `undo()` Ctrl+Z with nothing typed."""

    left = Signal()
    undo = Signal()

    def __init__(self, kind: Kind, desk: OneRecord) -> None:
        super().__init__()
        self.kind = kind
        self._desk = desk
        self._editor: Editor | None = None
        self._warned = False  # what is wrong was pointed out, so the next Esc leaves
        self._unwatch: Callable[[], None] = _nothing
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(PAUSE_MS)
        self._pause.timeout.connect(self._save)
        self._stacking = QTimer(self)  # once for all editors that change their stops in one go
        self._stacking.setSingleShot(True)
        self._stacking.setInterval(0)
        self._stacking.timeout.connect(self._stack)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(S24, S16, S24, S24)
        grid = QGridLayout()
        grid.setVerticalSpacing(S8)
        grid.setHorizontalSpacing(S12)
        grid.setColumnMinimumWidth(0, fonts.px(_LABELS))
        grid.setColumnStretch(1, 1)
        self._lines = {field.name: self._line(field, grid, at) for at, field in enumerate(kind.fields)}
        holder = QWidget()
        holder.setLayout(grid)
        grid.setContentsMargins(0, 0, 0, 0)
        holder.setMaximumWidth(fonts.px(TEXT_WIDTH))
        column.addWidget(holder)
        column.addStretch(1)
        self.setWidget(page)

    def _line(self, field: Field, grid: QGridLayout, at: int) -> _Line:
        made = editor_of(field, self._desk.currency(), self._propose, self._title_of)
        name = field.name
        made.typed.connect(lambda text: self._typed(name, text))
        made.put.connect(lambda value: self._put(name, value))
        made.left.connect(self._save)
        made.restacked.connect(self._stacking.start)
        if isinstance(made, RefEditor):
            made.went.connect(self._desk.open)
            made.refused.connect(lambda problem: self._refused(name, problem))
        self._listen(made)
        return _Line(made, grid, at)

    # -- a record in the form

    def bind(self, editor: Editor) -> None:
        """Lay a record into the form; the one before is let go (whoever holds it saves it)."""
        self._unwatch()
        self._pause.stop()
        self._editor = editor
        self._unwatch = editor.watch(self.refresh)
        for name, line in self._lines.items():
            line.editor.show_value(editor.value(name))
        self.refresh()
        self.verticalScrollBar().setValue(0)

    def unbind(self) -> None:
        """Hold no record any more."""
        self._unwatch()
        self._unwatch = _nothing
        self._pause.stop()
        self._editor = None

    def refresh(self) -> None:
        """Show what the record says now, but not over a field that a person is in, unless it is hidden from them."""
        editor = self._editor
        if editor is None:
            return
        hidden = editor.hidden
        for name, line in self._lines.items():
            problem = editor.errors.get(name)
            line.show_error(sentences(problem.title, problem.hint) if problem else "")
            line.show_hidden(name in hidden)
            if name in hidden:
                line.editor.show_mask(editor.value(name))
            elif problem is None and not line.editor.has_inner_focus():
                line.editor.show_value(editor.value(name))
            line.show_usable(self._usable(name))

    def _listen(self, editor: FieldEditor) -> None:
        for child in (editor, *editor.findChildren(QWidget)):
            child.installEventFilter(self)
        editor.set_usable(self._usable(editor.field.name))

    def _usable(self, name: str) -> bool:
        return self._desk.may_change and name not in self._desk.hidden(self.kind)

    def _stack(self) -> None:
        """Put all stops into reading order: Qt puts what is made later last. Their keys are the form's too."""
        for line in self._lines.values():
            self._listen(line.editor)
        stops = [stop for line in self._lines.values() for stop in line.editor.stops()]
        for before, after in itertools.pairwise(stops):
            QWidget.setTabOrder(before, after)

    def enter(self) -> None:
        """Put the focus into the first field, or the first that is wrong."""
        wrong = next((line for name, line in self._lines.items() if self._is_wrong(name)), None)
        target = wrong or next(iter(self._lines.values()))
        first = target.editor.first()
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        self.ensureWidgetVisible(first)

    def _is_wrong(self, name: str) -> bool:
        return self._editor is not None and name in self._editor.errors

    # -- typing

    def _typed(self, name: str, text: str) -> None:
        if self._editor is not None:
            self._editor.type_text(name, text)
            self._warned = False
            self._pause.start()

    def _put(self, name: str, value: object) -> None:
        if self._editor is not None:
            self._editor.put(name, value)
            self._warned = False
            self._pause.start()

    def _refused(self, name: str, problem: FieldProblem) -> None:
        if self._editor is not None:
            self._editor.refused(name, problem)

    def _save(self) -> None:
        self._pause.stop()
        if self._editor is not None:
            self._editor.save()

    def _propose(self, field: Field, text: str, take: Callable[[list[Proposal]], None]) -> None:
        assert isinstance(field.type, Ref)  # noqa: S101 - only references ask
        self._desk.propose(KINDS[field.type.to], text, take)

    def _title_of(self, id_: bytes) -> str:
        names = self._editor.names if self._editor is not None else {}
        return names.get(id_, words.DASH)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Ctrl+Z in a field without unsaved letters takes back the last save; Esc leaves the form."""
        if event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            unsaved = self._editor is not None and self._editor.has_unsaved()
            if event.matches(QKeySequence.StandardKey.Undo) and not unsaved:
                self.undo.emit()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
        return super().eventFilter(watched, event)

    def leave(self) -> None:
        """Save and go; what is wrong takes the focus once, so that it is not overlooked."""
        self._save()
        if not self._warned and any(self._is_wrong(name) for name in self._lines):
            self._warned = True
            self.enter()
            return
        self.left.emit()


def _nothing() -> None:
    """Nobody is watched."""
