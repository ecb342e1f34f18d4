"""Words on a page: labels by step and tone, paragraphs, tags, key hints, hairlines."""

from __future__ import annotations

import math
from typing import Final

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QTextLayout, QTextOption
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from app.ui.kit.paint import Tone, baseline, elided, stretch
from app.ui.theme import fonts
from app.ui.theme.palette import ink
from app.ui.theme.tokens import Colour, Step

# Inks a label may have, by the name that the style sheet knows them under.
_TONES: Final = frozenset(
    {Colour.TEXT, Colour.SOFT, Colour.FAINT, Colour.ACCENT, Colour.OK, Colour.WARN, Colour.BAD}
)


def label(
    text: str, step: Step = Step.BODY, colour: Colour = Colour.TEXT, *, semibold: bool = False
) -> QLabel:
    """One line of plain text, high enough for every script. Raises ValueError for a colour that is no ink."""
    if colour not in _TONES:
        raise ValueError(f"{colour} is no ink for text")
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(fonts.font(step, semibold=semibold))
    made.setMinimumHeight(fonts.line_height(step))
    made.setProperty("tone", str(colour))
    return made


class Line(QLabel):
    """One line that is cut by width with an ellipsis; the whole is in its tooltip while it is cut."""

    def __init__(
        self, text: str = "", step: Step = Step.BODY, colour: Colour = Colour.TEXT, *, semibold: bool = False
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._colour = colour
        self.setFont(fonts.font(step, semibold=semibold))
        self.setFixedHeight(fonts.line_height(step))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """As narrow as an ellipsis."""
        return QSize(fonts.px(16), self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line on its fixed baseline."""
        painter = QPainter(self)
        shown = elided(self.text(), self.font(), self.width())
        self.setToolTip("" if shown == self.text() else self.text())
        base = baseline(0, self.height(), self.font())
        painter.setPen(ink(self._colour))
        painter.drawText(QPointF(0, base), shown)


class Paragraph(QLabel):
    """Text of several lines, each 1.45 high, that breaks anywhere when one word is wider than the page."""

    def __init__(
        self,
        text: str = "",
        step: Step = Step.BODY,
        colour: Colour = Colour.TEXT,
        *,
        semibold: bool = False,
        centred: bool = False,
    ) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(fonts.font(step, semibold=semibold))
        self._colour = colour
        self._step = step
        self._line = fonts.line_height(step)
        self._centred = centred
        self._marked: tuple[tuple[int, int], ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def mark(self, spans: tuple[tuple[int, int], ...]) -> None:
        """Underline these stretches, each from a character on and so many long."""
        self._marked = spans
        self.update()

    def strong(self, on: bool) -> None:
        """Write it strongly, or softly: one of two that holds, and the one that does not."""
        self._colour = Colour.TEXT if on else Colour.SOFT
        self.setFont(fonts.font(self._step, semibold=on))
        self.updateGeometry()
        self.update()

    def hasHeightForWidth(self) -> bool:
        """Always: the height follows the width."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Height of all lines at that width."""
        return self._line * max(1, len(_lines(self.text(), self, width, self._centred)[1]))

    def sizeHint(self) -> QSize:
        """As wide as its longest line would like, up to 320 px at a scale of 1."""
        longest = max(
            (self.fontMetrics().horizontalAdvance(line) for line in self.text().split("\n")), default=0
        )
        wide = min(longest + 2, fonts.px(320))
        return QSize(wide, self.heightForWidth(max(1, wide)))

    def minimumSizeHint(self) -> QSize:
        """A few letters wide; never wider than the page for one long word."""
        return QSize(fonts.px(48), self._line)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines on fixed baselines."""
        painter = QPainter(self)
        painter.setPen(ink(self._colour))
        layout, starts = _lines(self.text(), self, self.width(), self._centred, self._marked)
        rise = baseline(0, self._line, self.font())
        for at in range(len(starts)):
            line = layout.lineAt(at)
            top = at * self._line + rise - line.ascent() - line.y()
            line.draw(painter, QPointF(0, top))


class Tag(QLabel):
    """A word with a ground of its tone, such as a stage; never colour alone."""

    def __init__(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("part", "tag")
        self.setProperty("tone", str(tone))
        self.setFont(fonts.font(Step.SMALL, semibold=True))
        self.setFixedHeight(fonts.px(20))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)


def key_hint(keys: str) -> QLabel:
    """The keys of a command, such as "Ctrl K", as a small cap."""
    made = QLabel(keys)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("part", "key")
    made.setFont(fonts.font(Step.SMALL))
    made.setFixedHeight(fonts.px(18))
    return made


def hairline(parent: QWidget | None = None) -> QFrame:
    """A line one pixel high that parts what is above from what is below."""
    made = QFrame(parent)
    made.setProperty("part", "hairline")
    return made


def _lines(
    text: str, owner: QLabel, width: int, centred: bool, marked: tuple[tuple[int, int], ...] = ()
) -> tuple[QTextLayout, list[int]]:
    option = QTextOption(Qt.AlignmentFlag.AlignHCenter if centred else Qt.AlignmentFlag.AlignLeft)
    option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    layout = QTextLayout(text.replace("\n", "\u2028"), owner.font())
    layout.setTextOption(option)
    if marked:
        layout.setFormats(_underlined(text, marked))
    starts: list[int] = []
    layout.beginLayout()
    while True:
        line = layout.createLine()
        if not line.isValid():
            break
        line.setLineWidth(max(1, width))
        line.setPosition(QPointF(0, math.ceil(line.height()) * len(starts)))
        starts.append(line.textStart())
    layout.endLayout()
    return layout, starts


def _underlined(text: str, spans: tuple[tuple[int, int], ...]) -> list[QTextLayout.FormatRange]:
    """These stretches of the text, each from a character on and so many long."""
    from PySide6.QtGui import QTextCharFormat  # the first list has no marks

    look = QTextCharFormat()
    look.setFontUnderline(True)
    return [stretch(text, begin, begin + length, look) for begin, length in spans]
