"""Pages that hold no record: the lock page, the wiped page, and what went wrong at the start."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from app.commands import BY_ID
from app.keys.vault import WrongPin
from app.ui.kit.announcing import announce
from app.ui.kit.buttons import Button, Part
from app.ui.kit.placeholder import Picture
from app.ui.kit.secret_line import SecretLine
from app.ui.kit.text import Paragraph, hairline, label
from app.ui.pin_form import PinForm
from app.ui.shortcuts import shown_keys
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S12, S24, S32, Colour, Step
from app.viewmodels import words
from app.viewmodels.shell import Shell
from sync.client.status import Phase, SyncStatus
from sync.protocol.joins import sentences
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

_WIDTH = 400


class CardPage(QFrame):
    """A card in the middle of an empty window."""

    def __init__(self, icon: str, title: str) -> None:
        super().__init__()
        self.setProperty("part", "page")
        outer = QVBoxLayout(self)
        row = QHBoxLayout()
        card = QFrame()
        card.setProperty("part", "card")
        card.setProperty("large", True)
        card.setFixedWidth(fonts.px(_WIDTH))
        self.column = QVBoxLayout(card)
        self.column.setContentsMargins(S32, S32, S32, S32)
        self.column.setSpacing(S8)
        head = QHBoxLayout()
        head.setSpacing(S8)
        head.addWidget(Picture(icon, fonts.px(20), Colour.ACCENT), 0, Qt.AlignmentFlag.AlignTop)
        self.title = Paragraph(title, Step.LARGE, semibold=True)
        head.addWidget(self.title, 1)
        self.column.addLayout(head)
        row.addStretch(1)
        row.addWidget(card)
        row.addStretch(1)
        outer.addStretch(4)
        outer.addLayout(row)
        outer.addStretch(5)

    def begin(self) -> None:
        """Put the focus where it belongs."""

    def refresh(self) -> None:
        """Show what the shell says now."""


class LockPage(CardPage):
    """Why it is locked, the way to open it, and what waits to be sent. No record, no count of the store."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("lock", shell.notice.title)
        self._shell = shell
        notice = shell.notice
        self._body = Paragraph(notice.body, Step.BODY, Colour.SOFT)
        self.column.addWidget(self._body)
        self.column.addSpacing(S8)
        self._pin_label = label(_("PIN"), Step.BODY, semibold=True)
        self._pin = SecretLine(_("PIN"))
        self._pin.entered.connect(self._unlock)
        self._pin_label.setBuddy(self._pin)
        self.column.addWidget(self._pin_label)
        self.column.addWidget(self._pin)
        self._form: PinForm | None = None
        self._form_place = QVBoxLayout()
        self.column.addLayout(self._form_place)
        self._problem = Paragraph("", Step.BODY, Colour.BAD)
        self.column.addWidget(self._problem)
        self._tries = Paragraph("", Step.SMALL, Colour.SOFT)
        self.column.addWidget(self._tries)
        self._button = Button(_("Unlock"), Part.MAIN)
        self._button.clicked.connect(self._act)
        self.column.addWidget(self._button)
        self._forgot = Button(_("I do not know the PIN any more"), Part.LINK)
        self._forgot.clicked.connect(self._give_up)
        self._asks = False
        self._sure = False  # it was pressed once, and what follows was said
        self.column.addWidget(self._forgot, 0, Qt.AlignmentFlag.AlignLeft)
        self.column.addSpacing(S12)
        self.column.addWidget(hairline())
        self.column.addSpacing(S4)
        self._foot = Paragraph("", Step.BODY, Colour.SOFT)
        self.column.addWidget(self._foot)
        self._under_way = False  # an exchange ran already when somebody asked
        self._asked: SyncStatus | None = (
            None  # what stood when somebody asked the server, until it has answered
        )
        self._answer = ""
        again = QShortcut(QKeySequence(BY_ID["sync"].keys[0]), self)
        again.activated.connect(self._ask)
        self.refresh()

    def refresh(self) -> None:
        """Show what the shell says now."""
        shell, notice = self._shell, self._shell.notice
        self.title.setText(notice.title)
        self._body.setText(notice.body)
        for widget in (self._pin_label, self._pin, self._tries, self._forgot):
            widget.setVisible(notice.needs_pin)
        asked, self._asks = self._asks, notice.needs_pin and not shell.busy
        self._show_form()
        self._button.setText(self._verb())
        again = _("Try now ({keys})").format(keys=shown_keys(BY_ID["sync"]))
        self._button.setToolTip(again if notice.by_order else "")
        self._button.setEnabled(not shell.busy)
        problem = shell.problem
        said = "" if problem is None else sentences(problem.title, problem.hint)
        if isinstance(problem, WrongPin):
            said = problem.title  # how many tries are left stands below
        if said and said != self._problem.text():
            self._announce(said)
        self._problem.setText(said)
        self._problem.setVisible(bool(said))
        self._tries.setText(_tries_left(notice.tries))
        if not shell.busy and self.isVisible() and self.focusWidget() is None:
            self.begin()  # nothing could take the focus while it was not to be used
        elif self._asks and self.isVisible() and (not asked or isinstance(problem, WrongPin)):
            self._pin.setFocus()  # what is typed next is the PIN, wherever the focus has gone meanwhile
        lines = [notice.foot, self._heard() if notice.by_order else ""]
        self._foot.setText("\n".join(line for line in lines if line))

    def _heard(self) -> str:
        """What came of asking the server, told to screen readers once it is known."""
        now = self._shell.sync
        offline = self._shell.standing().state in ("offline", "refused")
        if self._under_way and now is not self._asked and now.phase is Phase.IDLE:
            # It began before anybody asked, and may have missed what was changed meanwhile: another one follows.
            self._under_way, self._asked = False, now
        if self._asked is not None and now is not self._asked and now.phase is not Phase.SENDING:
            self._asked = None
            said = _("The server was asked at {time}: this device stays locked.")
            self._answer = said.format(time=words.clock(int(time.time() * 1000)))
            self._announce(_("The server cannot be reached now.") if offline else self._answer)
        if self._asked is not None:
            return _("Asking the server …")
        return _("The server cannot be reached now.") if offline else self._answer

    def _ask(self) -> None:
        """Ask the server again, where its answer may open this device."""
        if self._shell.notice.by_order and self._asked is None:
            self._asked = self._shell.sync
            self._under_way = self._asked.phase is Phase.SENDING
            self._announce(_("Asking the server …"))
            self._shell.try_now()
            self.refresh()

    def _announce(self, text: str) -> None:
        if self.isVisible():
            announce(self._foot, text)

    def begin(self) -> None:
        """The PIN where one is asked for, else the button."""
        if self._form is not None:
            self._form.begin()
        else:
            (self._pin if self._shell.notice.needs_pin else self._button).setFocus()

    def let_go(self) -> None:
        """Hold nothing that was typed: another page comes."""
        self._pin.empty()
        if self._form is not None:
            self._form.let_go()

    def _verb(self) -> str:
        notice = self._shell.notice
        if notice.by_order:
            return _("Try now")
        return _("Take this PIN") if notice.new_pin else _("Unlock")

    def _show_form(self) -> None:
        """Two lines for a new PIN, where one has to be chosen."""
        if self._shell.notice.new_pin == (self._form is not None):
            return
        form, self._form = self._form, None
        if form is not None:
            form.let_go()
            form.setParent(None)
            form.deleteLater()
            return
        self._form = PinForm(self._shell.locking.choice(), current=False)
        self._form.entered.connect(self._act)
        self._form_place.addWidget(self._form)
        if self.isVisible():
            self._form.begin()

    def _choose(self, form: PinForm) -> None:
        taken = form.taken()
        if taken is not None:
            self._shell.locking.choose_pin(*taken)

    def _give_up(self) -> None:
        """Asked twice, since nothing but IT opens the device after that."""
        if self._sure:
            self._shell.locking.give_up_pin()
            return
        self._sure = True
        self._forgot.setText(_("Lock this device until IT unlocks it"))
        said = _("Then you choose a new PIN. Unsent work stays on this device.")
        self._tries.setText(said)
        self._announce(said)

    def _act(self) -> None:
        if self._shell.notice.by_order:
            self._ask()
        elif self._form is not None:
            self._choose(self._form)
        else:
            self._unlock()

    def _unlock(self) -> None:
        if not self._shell.notice.needs_pin:
            self._shell.locking.unlock()
        elif self._pin.letters:
            self._shell.locking.unlock(self._pin.take())
        else:
            self._pin.setFocus()


def _tries_left(n: int) -> str:
    text = ngettext(
        "{n} try is left. After that only IT can open this device.",
        "{n} tries are left. After that only IT can open this device.",
        n,
    )
    return text.format(n=n)


class WipedPage(QFrame):
    """One sentence from IT, and nothing to click until all is handed in; then the way to join anew."""

    def __init__(self, shell: Shell) -> None:
        super().__init__()
        self.setProperty("part", "page")
        self._shell = shell
        column = QVBoxLayout(self)
        column.setContentsMargins(S24, S24, S24, S24)
        column.setSpacing(S8)
        column.addStretch(4)
        column.addWidget(Picture("wiped", fonts.px(44)), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(S8)
        self._title = Paragraph("", Step.LARGE, semibold=True, centred=True)
        self._body = Paragraph("", Step.BODY, Colour.SOFT, centred=True)
        for each in (self._title, self._body):
            each.setFixedWidth(fonts.px(_WIDTH))
            column.addWidget(each, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(S12)
        self._again = Button(_("I have a new code from IT"), Part.QUIET)
        self._again.clicked.connect(shell.join_again)
        column.addWidget(self._again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)
        self.refresh()

    def begin(self) -> None:
        """Nothing takes the focus: what is typed on must not begin anything."""

    def refresh(self) -> None:
        """Show what the shell says now."""
        self._title.setText(self._shell.notice.title)
        self._body.setText(self._shell.notice.body)
        self._again.setVisible(self._shell.notice.again)


class TroublePage(CardPage):
    """What keeps the window from opening, and what to do."""

    def __init__(self, shell: Shell) -> None:
        super().__init__("alert", shell.notice.title)
        self._shell = shell
        self.column.addWidget(Paragraph(shell.notice.body, Step.BODY, Colour.SOFT))
        self._button = Button(_("Try again"), Part.MAIN)
        self._button.clicked.connect(shell.try_now)
        self._button.setVisible(shell.notice.retry)
        again = QShortcut(QKeySequence(BY_ID["sync"].keys[0]), self)
        again.activated.connect(self._button.click)
        self.column.addSpacing(S8)
        self.column.addWidget(self._button)

    def begin(self) -> None:
        """The button, where there is one."""
        self._button.setFocus()


class StartingPage(QFrame):
    """The name alone, for the moment until the store is open."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("part", "page")
        column = QVBoxLayout(self)
        column.addStretch(4)
        mark = Picture("lock", fonts.px(28), Colour.FAINT)
        column.addWidget(mark, 0, Qt.AlignmentFlag.AlignHCenter)
        text = label(_("Opening …"), Step.BODY, Colour.SOFT)
        column.addWidget(text, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(5)

    def begin(self) -> None:
        """Nothing takes the focus."""

    def refresh(self) -> None:
        """Nothing changes here."""
