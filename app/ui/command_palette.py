"""The command palette: one field for going, doing and making, over everything else until it is left."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from app.ui.kit import paint, shadow
from app.ui.kit.announcing import announce
from app.ui.kit.marks import find_marks
from app.ui.kit.offer_rows import HIGH, OfferRow, OfferRows
from app.ui.kit.search_field import SearchField
from app.ui.kit.text import Line, Paragraph, hairline
from app.ui.shortcuts import shown_keys
from app.ui.theme import fonts
from app.ui.theme.tokens import (
    HAIRLINE,
    PALETTE_WIDTH,
    RADIUS_PALETTE,
    S4,
    S8,
    S12,
    S16,
    S24,
    Colour,
    Step,
)
from app.viewmodels.offers import Act, Offer
from app.viewmodels.palette import Palette
from sync.protocol.texts import gettext as _

TEXT_MAX: Final = 200
ROWS_SEEN: Final = 10
_UP, _DOWN = -1, 1
_STEPS: Final = {
    Qt.Key.Key_Up: _UP,
    Qt.Key.Key_Down: _DOWN,
    Qt.Key.Key_PageUp: -ROWS_SEEN,
    Qt.Key.Key_PageDown: ROWS_SEEN,
}


class _Field(SearchField):
    """The palette's field: all its keys that are no typing belong to the rows."""

    stepped = Signal(int)
    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows and pages move, Enter takes, Esc leaves whatever stands in the field."""
        key = Qt.Key(event.key())
        if key in _STEPS:
            self.stepped.emit(_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.entered.emit()
        elif key == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        """Higher than other fields: its letters are larger."""
        return QSize(super().sizeHint().width(), fonts.px(HIGH))

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Tab does not lead out below the palette; it goes through the answers."""
        self.stepped.emit(_DOWN if forwards else _UP)
        return True


class CommandPalette(QWidget):
    """Lies over its owner until it is left; whoever had the focus has it again after that.

    `taken(offer)` is the answer that was chosen, told after the palette has gone; `gone(back)` that it has, and
    whether the focus is where it was.
    """

    taken = Signal(object)
    gone = Signal(bool)

    def __init__(self, owner: QWidget, palette: Palette) -> None:
        super().__init__(owner)
        self._owner = owner
        self._answers = palette
        self._before = QApplication.focusWidget()
        if self._before is not None:
            self._before.destroyed.connect(self._forget_before)
        self._kept: tuple[str, str, bytes] | None = None  # the person chose this: it stays while answers come
        self._waits = False  # Enter was pressed before the records were here
        self._open = True
        self.setAccessibleName(_("Command palette"))
        self.panel = QRect()  # the palette itself; all around it is shadow, or nothing
        self._frame = QFrame(self)
        # All of it but the strips with the round corners, and opaque: what lies below is not painted for nothing.
        self._frame.setBackgroundRole(QPalette.ColorRole.Base)
        self._frame.setAutoFillBackground(True)
        self.field = _Field(_("Go, do or make"), _("Where to, what to do, or what to make"))
        self.field.setFont(fonts.font(Step.LARGE))
        self.field.setMaxLength(TEXT_MAX)
        self.note = Paragraph("", Step.BODY, Colour.SOFT)
        self.rows = OfferRows(_("Answers"))
        self._lay_out()
        self.field.textChanged.connect(self._asked)
        self.field.stepped.connect(self._step)
        self.field.entered.connect(self._enter)
        self.field.left.connect(self.leave)
        self.rows.taken.connect(self._take)
        self.rows.pointed.connect(self._point)
        self._unwatch = palette.watch(self._show)
        owner.installEventFilter(self)
        self.setGeometry(owner.rect())
        palette.ask("")
        self.show()
        self.raise_()
        # As for a menu: fields keep their marked text, and nothing takes this for being left.
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self._frame)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        head = QVBoxLayout()
        head.setContentsMargins(S12, 0, S12, S8)
        head.addWidget(self.field)
        column.addLayout(head)
        said = QVBoxLayout()
        said.setContentsMargins(S16, S4, S16, S8)
        said.addWidget(self.note)
        self._said = QFrame()
        self._said.setLayout(said)
        column.addWidget(self._said)
        column.addWidget(self.rows, 1)
        column.addWidget(hairline())
        hints = Line(_("↑ ↓ choose · Enter takes it · Esc leaves"), Step.SMALL, Colour.SOFT)
        foot = QVBoxLayout()
        foot.setContentsMargins(S16, S8, S16, 0)
        foot.addWidget(hints)
        column.addLayout(foot)
        self._rest = 2 * RADIUS_PALETTE + fonts.px(HIGH) + S8 + HAIRLINE + S8 + hints.height()

    # -- what is shown

    def _show(self) -> None:
        """Show the answers as they are now; a row that the person chose stays chosen."""
        answers = self._answers
        places = (at for at, offer in enumerate(answers.rows) if offer.same() == self._kept)
        at = next(places, answers.first)
        self._said.setVisible(bool(answers.note))
        self.note.setText(answers.note)
        self.rows.show_rows(_painted(answers.rows, answers.text), at)
        self._place()
        if answers.settled:
            self._tell()
            if self._waits:
                self._waits = False
                self._take(self.rows.chosen_row())

    def _place(self) -> None:
        """In the upper third, as high as its rows need and the window has room for."""
        wide = min(fonts.px(PALETTE_WIDTH), self.width() - 2 * S16)
        top = max(S16, min(self.height() // 6, fonts.px(140)))
        rest = self._rest
        if self._answers.note:
            rest += self.note.heightForWidth(wide - 2 * S16 - 2 * HAIRLINE) + S4 + S8
        room = self.height() - top - S24 - rest
        rows = min(self.rows.height_of_all() + S8, fonts.px(HIGH) * (ROWS_SEEN + 1), max(0, room))
        before, after = self.panel, QRect((self.width() - wide) // 2, top, wide, rest + rows)
        if before != after:
            self.panel = after
            strip = RADIUS_PALETTE
            self._frame.setGeometry(after.adjusted(HAIRLINE, strip, -HAIRLINE, -strip))
            # The window below is painted anew wherever this is, so no more of it than has to be.
            out = shadow.REACH + shadow.DROP
            self.update(before.united(after).adjusted(-out, -out, out, out))

    def _tell(self) -> None:
        """Tell screen readers which row is chosen: the focus never leaves the field."""
        row = self.rows.row(self.rows.chosen_row())
        sentence = row.sentence() if row is not None else self._answers.note
        if sentence and sentence != self.field.accessibleDescription():
            self.field.setAccessibleDescription(sentence)
            announce(self.field, sentence)

    @property
    def settled(self) -> bool:
        """Whether all answers to what stands in the field are here."""
        return self._answers.settled

    def _offer(self, at: int) -> Offer | None:
        return self._answers.rows[at] if 0 <= at < len(self._answers.rows) else None

    # -- what a person does

    def _asked(self, text: str) -> None:
        self._kept, self._waits = None, False
        self._answers.ask(text)

    def _step(self, by: int) -> None:
        count = self.rows.count()
        if not count:
            return
        at = self.rows.chosen_row() + by
        # One step wraps around, a page stops at the end.
        at = at % count if abs(by) == 1 else min(max(at, 0), count - 1)
        self._point(at)
        self._tell()

    def _point(self, at: int) -> None:
        offer = self._offer(at)
        self._kept = offer.same() if offer is not None else None
        self._waits = False
        self.rows.choose(at)

    def _enter(self) -> None:
        """Take the chosen answer; records that belong to letters typed before are never taken."""
        at = self.rows.chosen_row()
        offer = self._offer(at)
        meant = offer is not None and offer.same() == self._kept and offer.act is not Act.OPEN
        if self._answers.settled or meant:
            self._take(at)
        else:
            self._waits = True

    def _take(self, at: int) -> None:
        offer = self._offer(at)
        if offer is not None and self._open:
            self.leave()
            self.taken.emit(offer)

    def leave(self) -> None:
        """Go, and leave everything as it was before."""
        if not self._open:
            return
        before = self._before
        back = before is not None and before.isVisible()
        self.let_go()
        if before is not None and back:
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.hide()
        self.gone.emit(back)

    def _forget_before(self) -> None:
        """Whoever had the focus has gone meanwhile."""
        self._before = None

    def let_go(self) -> None:
        """Hold nothing of any record any more; the window shows something else next."""
        self._open = False
        self._unwatch()
        self._answers.close()
        self.rows.show_rows((), -1)
        self.deleteLater()

    # -- lying over the owner

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as the owner."""
        if event.type() is QEvent.Type.Resize and watched is self._owner and self._open:
            self.setGeometry(self._owner.rect())
            self._place()
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the palette leaves it."""
        if not self.panel.contains(event.position().toPoint()):
            self.leave()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the shadow and the ground."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        ground = QRectF(self.panel)
        shadow.paint(painter, ground, RADIUS_PALETTE)
        paint.pill(painter, ground, Colour.RAISED, RADIUS_PALETTE, Colour.LINE)


def _painted(offers: tuple[Offer, ...], text: str) -> list[OfferRow]:
    """Answers as rows to paint, with the letters that were asked for marked."""
    rows: list[OfferRow] = []
    group = ""
    for offer in offers:
        heading = _(offer.group) if offer.group != group else ""
        group = offer.group
        found = offer.act is not Act.MAKE
        rows.append(
            OfferRow(
                offer.title,
                offer.second,
                offer.icon,
                shown_keys(offer.command) if offer.command is not None else "",
                heading,
                find_marks(offer.title, text, name=offer.act is Act.OPEN) if found else (),
                find_marks(offer.second, text) if found else (),
            )
        )
    return rows
