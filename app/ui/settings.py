"""The settings page, read off the table of settings, and who this device is."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from app.settings import SETTINGS, Setting
from app.ui.fields.base import box
from app.ui.fields.plain import CURRENCIES
from app.ui.kit.card import Card, Fact, FactsTable
from app.ui.kit.text import Line, Paragraph
from app.ui.pages import Page
from app.ui.pin_card import PinCard
from app.ui.theme import fonts
from app.ui.theme.tokens import FIELD, S8, S12, Colour, Step
from app.viewmodels.locking import LOCK_AFTER
from app.viewmodels.shell import Shell
from sync.protocol.texts import gettext as _


class SettingsPage(Page):
    """`look_chosen(look)` is a change of theme, to be worn at once."""

    look_chosen = Signal(str)

    def __init__(self, shell: Shell) -> None:
        super().__init__(_("Settings"))
        self._shell = shell
        card = Card(_("This window"))
        holder = QWidget()
        grid = QGridLayout(holder)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(S12)
        grid.setVerticalSpacing(S8)
        grid.setColumnMinimumWidth(0, fonts.px(132))
        grid.setColumnStretch(1, 1)
        for at, setting in enumerate(SETTINGS.values()):
            name = Line(_(setting.label), Step.BODY, Colour.SOFT)
            name.setFixedHeight(fonts.px(FIELD))
            grid.addWidget(name, at, 0)
            chooser = self._chooser(setting)
            name.setBuddy(chooser)
            grid.addWidget(chooser, at, 1, Qt.AlignmentFlag.AlignLeft)
        card.add(holder)
        self._told = Paragraph("", Step.SMALL, Colour.SOFT)
        self._told.hide()
        card.add(self._told)
        self.column.addWidget(card)
        self.column.addWidget(PinCard(shell))
        about = Card(_("This device"))
        about.add(FactsTable(tuple(Fact(name, value) for name, value in shell.about() if value)))
        self.column.addWidget(about)

    def _chooser(self, setting: Setting) -> QComboBox:
        made = box(_(setting.label))
        made.setFixedWidth(fonts.px(240))
        choices = setting.choices or tuple((code, code) for code in CURRENCIES)
        for value, words in choices:
            if setting.name != LOCK_AFTER:
                made.addItem(_(words), value)
            elif self._shell.locking.offered(value):
                made.addItem(_(words) if value.isdigit() else self._shell.locking.as_it_says(), value)
        # What IT has ruled out since it was chosen counts as what IT says.
        made.setCurrentIndex(max(0, made.findData(self._shell.settings[setting.name])))
        made.setEnabled(not self._shell.settings.is_fixed(setting.name))
        made.activated.connect(lambda at: self._choose(setting, str(made.itemData(at))))
        return made

    def _choose(self, setting: Setting, value: str) -> None:
        if setting.name == "theme":
            self.look_chosen.emit(value)
        self._shell.choose_setting(setting.name, value, lambda: self._tell(setting))

    def _tell(self, setting: Setting) -> None:
        if setting.name == LOCK_AFTER:
            self._shell.locking.touched()
        if setting.name == "language":
            self._told.setText(_("The language changes when Fieldkeep starts again."))
            self._told.show()
