"""Possible duplicates: two records beside one another, which value stands field by field, and two ways to decide."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QWidget

from app.commands import JOINING, PARTING
from app.store.joining import BOTH, GONE, REMAINS
from app.ui.card_page import CardPage, between
from app.ui.kit.buttons import Button, Part
from app.ui.kit.card import Card
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.segments import Segments
from app.ui.kit.text import Paragraph, Tag, label
from app.ui.shortcuts import spelled as spelled_keys
from app.ui.theme.tokens import S4, S16, TEXT_WIDTH, Colour, Step
from app.viewmodels.desk import Desk
from app.viewmodels.duplicates import Cell, Double, Duplicates
from sync.protocol.joins import labelled, listed, spoken
from sync.protocol.texts import gettext as _

_WIDE = TEXT_WIDTH + 280
_MIDDLE = Qt.AlignmentFlag.AlignVCenter


class DuplicatesPage(CardPage[Double]):
    """`opened(kind, id)` asks for the record."""

    opened = Signal(str, bytes)

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            _("Possible duplicates"),
            _("These seem to be about the same customer or contact. Make them one, or say that they are different."),
            width=_WIDE,
        )  # fmt: skip
        known = desk.beside.get("duplicates")
        self._doubles = known if isinstance(known, Duplicates) else Duplicates(desk)
        desk.beside["duplicates"] = self._doubles
        self._desk = desk
        self._unwatch = self._doubles.watch(self.refresh)
        self.refresh()
        self._doubles.look(True)

    def refresh(self) -> None:
        """Show the pairs."""
        shown, none = self._doubles.shown, None
        if shown == []:
            text = _("Records that seem to be about the same customer stand here.")
            none = Placeholder("check", _("No possible duplicates"), text)
        self.show_cards(shown or (), self._card, none)

    def decides(self) -> Mapping[str, Callable[[Double], None]]:
        """One key for each way to decide."""
        return {JOINING: self._doubles.join, PARTING: self._doubles.part} if self._desk.may_change else {}

    def let_go(self) -> None:
        """Stop watching: the page goes."""
        self._doubles.look(False)
        self._unwatch()

    # -- one pair

    def _card(self, double: Double) -> QWidget:
        card = Card(double.left, double.kind)
        card.add(between(Tag(double.why)))
        table = QWidget()
        grid = QGridLayout(table)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(S16)
        grid.setVerticalSpacing(S4)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        heads = ((1, _("Stays"), double.left_by), (2, _("Is joined into it"), double.right_by))
        for column, heading, by in heads:
            grid.addWidget(label(heading, Step.SMALL, Colour.SOFT), 0, column)
            grid.addWidget(Paragraph(by, Step.SMALL, Colour.SOFT), 1, column)
        for row, cell in enumerate(double.cells, 2):
            self._row(grid, row, double, cell)
        card.add(table)
        if double.same:
            text = _("The same in both: {fields}").format(fields=listed(double.same))
            card.add(Paragraph(text, Step.SMALL, Colour.SOFT))
        card.add(between(*self._buttons(double)))
        return card

    def _row(self, grid: QGridLayout, row: int, double: Double, cell: Cell) -> None:
        grid.addWidget(label(cell.label, Step.SMALL, Colour.SOFT), row, 0, _MIDDLE)
        sides = {}
        for column, side, text in ((1, REMAINS, cell.left), (2, GONE, cell.right)):
            sides[side] = Paragraph(text, Step.BODY)
            grid.addWidget(sides[side], row, column, _MIDDLE)
        if cell.fixed or not self._desk.may_change:
            _show(sides, cell.takes)
            return
        choices = [(REMAINS, _("Left")), (GONE, _("Right")), *([(BOTH, _("Both"))] if cell.both else [])]
        name = labelled(cell.label, spoken((cell.left, cell.right)))
        made = Segments(name, choices)
        made.show_choice(cell.takes)
        _show(sides, cell.takes)

        def chosen(side: str) -> None:
            self._doubles.choose(double, cell.name, side)
            _show(sides, side)

        made.chosen.connect(chosen)
        grid.addWidget(made, row, 3, _MIDDLE)

    def _buttons(self, double: Double) -> list[QWidget]:
        both = spoken((double.left, double.right))

        def button(
            verb: str, act: Callable[[Double], None], keys: str = "", part: Part = Part.PLAIN
        ) -> Button:
            made = Button(verb, part)
            made.setAccessibleName(labelled(verb, both))
            if keys:
                made.setToolTip(f"{verb} ({spelled_keys(keys)})")
            made.clicked.connect(lambda: act(double))
            return made

        found: list[QWidget] = []
        if self._desk.may_change:
            found = [
                button(_("Make them one"), self._doubles.join, JOINING),
                button(_("They are different"), self._doubles.part, PARTING),
                button(_("Change sides"), self._doubles.turn, part=Part.QUIET),
            ]
        for title, record in ((double.left, double.seen.remains), (double.right, double.seen.gone)):
            show = Button(_("Show {title}").format(title=title), Part.LINK)
            show.clicked.connect(lambda _on=False, each=record: self.opened.emit(each.kind.name, each.id))
            found.append(show)
        return found


def _show(sides: dict[str, Paragraph], takes: str) -> None:
    """What stands is written strongly, what does not softly."""
    for side, text in sides.items():
        text.strong(takes in (side, BOTH))
