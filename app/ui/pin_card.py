"""The PIN on the settings page: whether there is one, and another one, in place and not in a dialog."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.kit.announcing import announce
from app.ui.kit.buttons import Button, Part
from app.ui.kit.card import Card
from app.ui.kit.text import Paragraph
from app.ui.pin_form import PinForm
from app.ui.theme.tokens import S8, Colour, Step
from app.viewmodels.shell import Shell
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _


class PinCard(Card):
    """Says whether the store asks for a PIN; its form comes when one is to be chosen."""

    def __init__(self, shell: Shell) -> None:
        super().__init__(_("PIN"))
        self._shell = shell
        self._form: PinForm | None = None
        self._asked = False
        self._said = Paragraph("", Step.BODY, Colour.SOFT)
        self.add(self._said)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S8)
        self._go = Button("")
        self._go.clicked.connect(self._act)
        self._remove = Button(_("Open without a PIN"), Part.QUIET)
        self._remove.clicked.connect(self._take_off)
        self._cancel = Button(_("Cancel"), Part.QUIET)
        self._cancel.clicked.connect(self._end)
        for each in (self._go, self._remove, self._cancel):
            row.addWidget(each)
        row.addStretch(1)
        self._place = QWidget()
        self._form_row = QVBoxLayout(self._place)
        self._form_row.setContentsMargins(0, 0, 0, 0)
        self.add(self._place)
        self.add(holder)
        self._unwatch = shell.watch(self._look)
        self.destroyed.connect(lambda _gone=None, unwatch=self._unwatch: unwatch())
        self._show()

    def _show(self) -> None:
        session = self._shell.session
        has, forming = session is not None and session.pin.has_pin, self._form is not None
        self._said.setText(
            _("This store opens with your PIN alone.")
            if has
            else _("This store opens from the system keyring, without a PIN.")
        )
        self._place.setVisible(forming)
        self._cancel.setVisible(forming)
        required = session is not None and session.pin.rule.required
        self._remove.setVisible(forming and has and not required)
        chooses = _("Change PIN") if has else _("Choose a PIN")
        self._go.setText(_("Take this PIN") if forming else chooses)
        self._go.setEnabled(session is not None and not self._shell.busy)

    def _act(self) -> None:
        session = self._shell.session
        if session is None:
            return
        if self._form is None:
            self._form = PinForm(self._shell.locking.choice(), current=session.pin.has_pin)
            self._form.entered.connect(self._act)
            self._form_row.addWidget(self._form)
            self._show()
            self._form.show()
            self._form.begin()
            return
        taken = self._form.taken()
        if taken is not None:
            self._asked = True
            self._shell.locking.choose_pin(*taken)

    def _take_off(self) -> None:
        if self._form is not None and self._form.current is not None:
            current = self._form.current.take()
            self._form.empty()
            self._asked = True
            self._shell.locking.choose_pin(None, current)

    def _look(self) -> None:
        """What came of it."""
        if self._asked and not self._shell.busy:
            self._asked = False
            problem = self._shell.problem
            if problem is None:
                self._end()
                announce(self._said, self._said.text())
            elif self._form is not None:
                self._form.tell(sentences(problem.title, problem.hint))
                self._form.begin()
        self._show()

    def _end(self) -> None:
        form, self._form = self._form, None
        if form is not None:
            form.let_go()
            form.setParent(None)
            form.deleteLater()
            self._go.setFocus()
        self._show()
