"""The page of an import: what the files would bring, word by word, then bring it in or leave it."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QPlainTextEdit, QWidget

from app.services.exchange.progress import sentence
from app.services.exchange.report import FileReport, Level, Report, State
from app.ui.kit.buttons import Button, Part
from app.ui.kit.card import Card, Fact, FactsTable, FactStyle
from app.ui.kit.paint import Tone
from app.ui.kit.text import Paragraph
from app.ui.pages import Page
from app.ui.selection_bar import Progress
from app.ui.theme import fonts
from app.ui.theme.tokens import S8, Colour, Step
from app.viewmodels import words
from app.viewmodels.bringing import Bringing, said_of
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_LINES = 12
_PACE_MS = 150


class ImportPage(Page):
    """`done()` asks to go back to the list."""

    done = Signal()

    def __init__(self, bringing: Bringing) -> None:
        super().__init__(_("Import"))
        self._bringing = bringing
        self._told = Paragraph("", Step.BODY, Colour.SOFT)
        self.column.addWidget(self._told)
        buttons = QWidget()
        row = QHBoxLayout(buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S8)
        self._go = Button(_("Bring in"), Part.MAIN)
        self._go.clicked.connect(bringing.apply)
        self._leave = Button(_("Leave it"))
        self._leave.clicked.connect(self._left)
        self._stop = Button(_("Stop"))
        self._stop.clicked.connect(bringing.stop)
        row.addWidget(self._go)
        row.addWidget(self._leave)
        row.addWidget(self._stop)
        row.addStretch(1)
        self._part = Progress()
        self.column.addWidget(self._part)
        self.column.addWidget(buttons)
        self._pace = QTimer(self)
        self._pace.setInterval(_PACE_MS)
        self._pace.timeout.connect(self._show_pace)
        self._cards: list[QWidget] = []
        self._shown: Report | None = None
        self._unwatch = bringing.watch(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the plan, or what it brought."""
        bringing = self._bringing
        report = bringing.report
        self._go.setEnabled(bringing.may_apply)
        self._go.setVisible(report is None or not report.done)
        self._leave.setText(_("Show list") if report is not None and report.done else _("Leave it"))
        writing = bringing.busy and report is not None
        self._stop.setVisible(writing)
        self._stop.setEnabled(not bringing.progress.stopping)
        self._leave.setVisible(not writing)
        if bringing.busy:
            self._pace.start()
        else:
            self._pace.stop()
        self._show_pace()
        if report is self._shown:
            return
        self._shown = report
        for card in self._cards:
            card.hide()
            card.deleteLater()
        self._cards = [self._card(file) for file in report.files] if report is not None else []
        for card in self._cards:
            self.column.addWidget(card)
        if QApplication.focusWidget() in (None, self):
            self._decide()

    def enter(self) -> None:
        """Somebody looks at it: the focus is on what is to be decided, or waits here until that is known."""
        self._bringing.look()
        if self._bringing.report is None and self._bringing.busy:
            self.setFocus(Qt.FocusReason.TabFocusReason)
        else:
            self._decide()

    def _decide(self) -> None:
        places = (self._go, self._stop, self._leave)
        for place in (each for each in places if each.isVisibleTo(self) and each.isEnabled()):
            place.setFocus(Qt.FocusReason.TabFocusReason)
            self.ensureWidgetVisible(place)
            return

    def _left(self) -> None:
        """Nothing is to be brought in: whatever is still being read is of no use."""
        self._bringing.leave()
        self.done.emit()

    def _show_pace(self) -> None:
        bringing = self._bringing
        self._told.setText(self._sentence())
        far = bringing.progress.far() if bringing.busy else None
        self._part.setVisible(bringing.busy)
        self._part.show_part(far.at / far.total if far is not None and far.total else 0.0)

    def _sentence(self) -> str:
        bringing = self._bringing
        if bringing.busy:
            return sentence(bringing.progress.far(), words.number)
        if bringing.problem is not None:
            return sentences(bringing.problem.title, bringing.problem.hint)
        report = bringing.report
        if report is None:
            return ""
        added = report.total("added")
        if report.done:
            return said_of(report)
        if report.refused:
            return _("A file cannot be read, so nothing is brought in.")
        text = ngettext(
            "{n} record would be added. Nothing is written yet.",
            "{n} records would be added. Nothing is written yet.",
            added,
        )
        return text.format(n=words.number(added))

    def _card(self, file: FileReport) -> QWidget:
        card = Card(file.file, _(file.kind.plural) if file.kind is not None else "")
        if file.state is not State.READ:
            card.add(
                Paragraph(file.reason, Step.BODY, Colour.BAD if file.state is State.REFUSED else Colour.SOFT)
            )
            return card
        figures = [
            Fact(_("Rows"), words.number(file.rows)),
            Fact(_("New"), words.number(file.added)),
            Fact(_("Filled up"), words.number(file.updated)),
            Fact(_("Here already"), words.number(file.here)),
        ]
        if file.skipped:
            figures.append(Fact(_("Left out"), words.number(file.skipped), tone=Tone.WARN))
        card.add(FactsTable(tuple(figures), FactStyle.FIGURES))
        findings = [*file.of(Level.PROBLEM), *file.of(Level.CORRECTION), *file.of(Level.NOTE)]
        if findings:
            text = QPlainTextEdit("\n".join(finding.text() for finding in findings))
            text.setReadOnly(True)
            text.setFont(fonts.font(Step.SMALL))
            text.setAccessibleName(_("What is to be said about {file}").format(file=file.file))
            text.setTabChangesFocus(True)
            text.setFixedHeight(fonts.line_height(Step.SMALL) * min(_LINES, len(findings) + 1) + 14)
            card.add(text)
        return card

    def let_go(self) -> None:
        """Stop watching: the page goes."""
        self._pace.stop()
        self._unwatch()
        self._bringing.look_away()
