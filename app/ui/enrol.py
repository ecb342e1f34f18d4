"""The page on which a laptop joins an organisation: a name, the code from IT, and what goes on meanwhile."""

from __future__ import annotations

import platform

from PySide6.QtWidgets import QLineEdit, QPlainTextEdit

from app.ui.kit.buttons import Button, Part
from app.ui.kit.text import Paragraph, label
from app.ui.lock import CardPage
from app.ui.theme import fonts
from app.ui.theme.tokens import S8, Colour, Step
from app.viewmodels.shell import Shell
from sync.protocol import codes
from sync.protocol.errors import KnownError
from sync.protocol.fingerprint import words_of
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _

_CODE_MAX = 2000


class EnrolPage(CardPage):
    """Name and code; the code's server and its organisation's words are shown before anything is sent to it."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("company", _("Join your organisation"))
        self._shell = shell
        said = shell.notice.body or _("IT gives you a code for this device. It works once.")
        self.column.addWidget(Paragraph(said, Step.BODY, Colour.SOFT))
        self.column.addSpacing(S8)
        self._name = QLineEdit(platform.node().split(".")[0][:60])
        self._name.setAccessibleName(_("Name of this device"))
        self._name.setFont(fonts.font())
        self._name.returnPressed.connect(self._enter)
        self._code = QPlainTextEdit()
        self._code.setAccessibleName(_("Enrolment code"))
        self._code.setPlaceholderText(_("FK1-…"))
        self._code.setTabChangesFocus(True)
        self._code.setFont(fonts.font())
        self._code.setFixedHeight(fonts.line_height(Step.BODY) * 5 + 14)
        self._code.textChanged.connect(self._read)
        for words, widget in ((_("Name of this device"), self._name), (_("Enrolment code"), self._code)):
            made = label(words, Step.BODY, semibold=True)
            made.setBuddy(widget)
            self.column.addWidget(made)
            self.column.addWidget(widget)
        self._server = Paragraph("", Step.SMALL, Colour.SOFT)
        self._words = Paragraph("", Step.BODY, semibold=True)
        self._compare = Paragraph(
            _(
                "Ask IT for the words of your organisation, and join where they are these. They came with the code."
            ),
            Step.SMALL,
            Colour.SOFT,
        )
        self._problem = Paragraph("", Step.BODY, Colour.BAD)
        self._button = Button(_("Join"), Part.MAIN)
        self._button.clicked.connect(self._join)
        for each in (self._server, self._words, self._compare):
            self.column.addWidget(each)
        self.column.addWidget(self._problem)
        self.column.addSpacing(S8)
        self.column.addWidget(self._button)
        self._read()
        self.refresh()

    def begin(self) -> None:
        """The code is what is still missing."""
        self._code.setFocus()

    def refresh(self) -> None:
        """Show what the shell says now."""
        busy, problem = self._shell.busy, self._shell.problem
        words = "" if problem is None else sentences(problem.title, problem.hint)
        self._problem.setText(words)
        self._problem.setVisible(bool(words))
        for widget in (self._name, self._code):
            widget.setEnabled(not busy)
        self._button.setText(_("Joining: making keys …") if busy else _("Join"))
        self._button.setEnabled(not busy and self._is_whole())

    def _read(self) -> None:
        text = self._code.toPlainText()
        if len(text) > _CODE_MAX:
            self._code.setPlainText(text[:_CODE_MAX])
            return
        words = ""
        try:
            code = codes.read(text)
            found, words = _("Server: {address}").format(address=code.url), words_of(code.root_digest)
        except KnownError as problem:
            found = problem.title if text.strip() else ""
        self._server.setText(found)
        self._server.setVisible(bool(found))
        self._words.setText(words)
        for each in (self._words, self._compare):
            each.setVisible(bool(words))
        self._button.setEnabled(self._is_whole() and not self._shell.busy)

    def _is_whole(self) -> bool:
        try:
            codes.read(self._code.toPlainText())
        except KnownError:
            return False
        return bool(self._name.text().strip())

    def _enter(self) -> None:
        """Enter joins, as soon as the code is whole."""
        if self._button.isEnabled():
            self._join()

    def _join(self) -> None:
        self._shell.enrol(self._code.toPlainText(), self._name.text())
