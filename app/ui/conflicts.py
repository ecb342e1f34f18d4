"""Conflicts: both values of each edit that met, side by side, and changes that were not accepted."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.commands import KEEPING, TAKING
from app.ui.card_page import CardPage, between
from app.ui.kit.buttons import Button, Part
from app.ui.kit.card import Card
from app.ui.kit.paint import Tone
from app.ui.kit.placeholder import Placeholder
from app.ui.kit.text import Paragraph, Tag, label
from app.ui.shortcuts import spelled as spelled_keys
from app.ui.theme.tokens import S4, S12, S16, Colour, Step
from app.viewmodels.conflicts import Met, Side, keep, let_go, make_again, take
from app.viewmodels.desk import Desk
from sync.protocol.joins import labelled, spoken
from sync.protocol.kinds import KINDS
from sync.protocol.texts import gettext as _

_SHOWN = 100  # a page is no list: more than anybody looks at in one sitting


class ConflictsPage(CardPage[Met]):
    """`opened(kind, id)` asks for the record."""

    opened = Signal(str, bytes)

    def __init__(self, desk: Desk) -> None:
        super().__init__(
            _("Conflicts"),
            _("The same thing was changed twice, and neither edit knew of the other. Both values are kept."),
        )
        self._desk = desk
        self._unwatch = desk.on_conflicts.watch(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what waits now."""
        met = self._desk.met
        none = None
        if met == []:
            none = Placeholder("check", _("No conflicts"), _("When edits meet, both values stand here."))
        self.show_cards((met or ())[:_SHOWN], self._card, none)

    def decides(self) -> Mapping[str, Callable[[Met], None]]:
        """One key for each choice."""
        if not self._desk.may_change:
            return {}
        return {KEEPING: lambda met: keep(self._desk, met), TAKING: lambda met: take(self._desk, met)}

    def _card(self, met: Met) -> QWidget:
        kind = KINDS.get(met.kind)
        card = Card(met.title, _(kind.label) if kind is not None else "")
        card.add(between(Tag(met.field, Tone.WARN if met.refused is not None else Tone.PLAIN)))
        if met.explanation:
            colour = Colour.BAD if met.refused is not None else Colour.SOFT
            card.add(Paragraph(met.explanation, Step.BODY, colour))
        sides = QWidget()
        row = QHBoxLayout(sides)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(S16)
        for side in met.sides:
            row.addWidget(_side(side), 1)
        card.add(sides)
        buttons = self._refused(met) if met.refused is not None else self._choices(met)
        if met.here:
            show = Button(_("Show record"), Part.LINK)
            show.setAccessibleName(_("Show {title}").format(title=met.title))
            show.clicked.connect(lambda: self.opened.emit(met.kind, met.id))
            buttons.append(show)
        card.add(between(*buttons))
        return card

    def _choices(self, met: Met) -> list[Button]:
        """The two ways to settle it, for whoever may change the record."""
        if met.open is None or not self._desk.may_change:
            return []

        def button(verb: str, keys: str, act: Callable[[Desk, Met], None]) -> Button:
            made = Button(verb)
            made.setAccessibleName(labelled(verb, spoken((met.title, met.field))))
            made.setToolTip(f"{verb} ({spelled_keys(keys)})")
            made.clicked.connect(lambda: act(self._desk, met))
            return made

        offered = ((met.keep, KEEPING, keep), (met.take, TAKING, take))
        return [button(verb, keys, act) for verb, keys, act in offered if verb]

    def _refused(self, met: Met) -> list[Button]:
        """What a person can do with a change that was not accepted: nothing sends it again by itself."""
        buttons = []
        if met.again:
            again = Button(_("Make it again"))
            again.setAccessibleName(_("Make the change of {title} again").format(title=met.title))
            again.clicked.connect(lambda: make_again(self._desk, met))
            buttons.append(again)
        drop = Button(_("Let it go"), Part.QUIET)
        drop.setAccessibleName(_("Let the change of {title} go").format(title=met.title))
        drop.clicked.connect(lambda: let_go(self._desk, met))
        return [*buttons, drop]

    def let_go(self) -> None:
        """Stop watching: the page goes."""
        self._unwatch()


def _side(side: Side) -> QWidget:
    frame = QFrame()
    frame.setProperty("part", "side")
    frame.setAccessibleName(labelled(side.heading, spoken((side.value, side.by))))
    column = QVBoxLayout(frame)
    column.setContentsMargins(S12, S12, S12, S12)
    column.setSpacing(S4)
    column.addWidget(label(side.heading, Step.SMALL, Colour.SOFT))
    value = Paragraph(side.value, Step.BODY, semibold=True)
    value.mark(side.differs)
    column.addWidget(value)
    column.addWidget(Paragraph(side.by, Step.SMALL, Colour.SOFT))
    column.addStretch(1)
    return frame
