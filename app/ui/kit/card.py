"""Cards beside a record, and the facts or figures on them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.kit.buttons import Button, Part
from app.ui.kit.paint import INKS, Tone
from app.ui.kit.text import Line, Paragraph, hairline, label
from app.ui.theme import fonts
from app.ui.theme.tokens import S4, S8, S12, S16, Colour, Step
from sync.protocol.joins import labelled


class Card(QFrame):
    """A raised group with a title, and a quiet word or figure at the right of it."""

    def __init__(self, title: str, aside: str = "") -> None:
        super().__init__()
        self.setProperty("part", "card")
        self.setAccessibleName(title)
        self._aside = label(aside, Step.SMALL, Colour.FAINT)
        head = QHBoxLayout()
        head.addWidget(Line(title, Step.BODY, semibold=True), 1)
        head.addWidget(self._aside)
        self._head = head
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(S16, S12, S16, S12)
        self._column.setSpacing(S8)
        self._column.addLayout(head)

    def add(self, widget: QWidget) -> None:
        """Put a widget below what is there."""
        self._column.addWidget(widget)

    def add_verb(self, verb: Button) -> None:
        """Put a verb at the right of the title."""
        self._head.addWidget(verb)

    def set_aside(self, text: str) -> None:
        """Change the quiet word at the right of the title."""
        self._aside.setText(text)


@dataclass(frozen=True, slots=True)
class Fact:
    """A label and its value; `action` is a verb beside the value, told by `key` when it is clicked."""

    label: str
    value: str
    action: str = ""
    key: str = ""
    tone: Tone = Tone.PLAIN


class FactStyle(StrEnum):
    """Facts: quiet label, then value. Figures: name at the left, value at the right, hairlines between."""

    FACTS = "facts"
    FIGURES = "figures"


class FactsTable(QWidget):
    """Labels and values in two columns; `acted(key)` is a click on the verb beside a value."""

    acted = Signal(str)

    def __init__(self, facts: tuple[Fact, ...] = (), style: FactStyle = FactStyle.FACTS) -> None:
        super().__init__()
        self._style = style
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(S8)
        self.show_facts(facts)

    def show_facts(self, facts: tuple[Fact, ...]) -> None:
        """Show these facts in place of those before."""
        while (item := self._grid.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.hide()
                old.deleteLater()
        if self._style is FactStyle.FACTS:
            self._show_as_facts(facts)
        else:
            self._show_as_figures(facts)

    def _show_as_facts(self, facts: tuple[Fact, ...]) -> None:
        self._grid.setVerticalSpacing(S4)
        self._grid.setColumnMinimumWidth(0, fonts.px(84))
        self._grid.setColumnStretch(1, 1)
        for at, fact in enumerate(facts):
            # Beside a verb, which is as high as a finger, the words stand in its middle.
            place = Qt.AlignmentFlag.AlignVCenter if fact.action else Qt.AlignmentFlag.AlignTop
            self._grid.addWidget(Line(fact.label, Step.BODY, Colour.SOFT), at, 0, place)
            colour = Colour.TEXT if fact.tone is Tone.PLAIN else INKS[fact.tone]
            value = Paragraph(fact.value, Step.BODY, colour)
            value.setAccessibleName(labelled(fact.label, fact.value))
            if fact.action:
                row = QHBoxLayout()
                row.setSpacing(S4)
                row.addWidget(value, 1, place)
                row.addWidget(self._verb(fact), 0, place)
                holder = QWidget()
                row.setContentsMargins(0, 0, 0, 0)
                holder.setLayout(row)
                self._grid.addWidget(holder, at, 1)
            else:
                self._grid.addWidget(value, at, 1)

    def _show_as_figures(self, facts: tuple[Fact, ...]) -> None:
        self._grid.setVerticalSpacing(S4)
        self._grid.setColumnStretch(0, 1)
        for at, fact in enumerate(facts):
            name = Line(fact.label)
            name.setFixedHeight(fonts.px(24))
            self._grid.addWidget(name, 2 * at, 0)
            colour = Colour.TEXT if fact.tone is Tone.PLAIN else INKS[fact.tone]
            value = label(fact.value, Step.BODY, colour)
            value.setFont(fonts.font(Step.BODY, figures=True))
            value.setAccessibleName(labelled(fact.label, fact.value))
            self._grid.addWidget(value, 2 * at, 1, Qt.AlignmentFlag.AlignRight)
            if at + 1 < len(facts):
                self._grid.addWidget(hairline(), 2 * at + 1, 0, 1, 2)

    def _verb(self, fact: Fact) -> Button:
        verb = Button(fact.action, Part.LINK)
        verb.setAccessibleName(labelled(fact.action, fact.label))
        verb.clicked.connect(lambda: self.acted.emit(fact.key))
        return verb
