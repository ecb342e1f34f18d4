"""The sync badge: shape and words first, colour third; it never spins."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from PySide6.QtCore import QElapsedTimer, QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from app.ui.kit import paint
from app.ui.kit.announcing import announce
from app.ui.kit.paint import GROUNDS, INKS, Tone
from app.ui.theme import fonts, icons
from app.ui.theme.palette import ink
from app.ui.theme.tokens import ICON, S4, S8, TOUCH, Step
from sync.protocol.texts import gettext as _

ANNOUNCE_EVERY_MS: Final = 60_000


class BadgeState(StrEnum):
    """How this device stands with the server."""

    SENT = "sent"
    SENDING = "sending"
    OFFLINE = "offline"
    NEEDS = "needs"
    REFUSED = "refused"


ICONS: Final[dict[BadgeState, str]] = {
    BadgeState.SENT: "cloud-done",
    BadgeState.SENDING: "cloud-up",
    BadgeState.OFFLINE: "cloud-off",
    BadgeState.NEEDS: "cloud-hand",
    BadgeState.REFUSED: "cloud-cross",
}
TONES: Final[dict[BadgeState, Tone]] = {
    BadgeState.SENT: Tone.OK,
    BadgeState.SENDING: Tone.PLAIN,
    BadgeState.OFFLINE: Tone.PLAIN,
    BadgeState.NEEDS: Tone.WARN,
    BadgeState.REFUSED: Tone.BAD,
}


def may_announce(state: BadgeState, since_last_ms: int | None) -> bool:
    """Whether screen readers hear of it now: at once when it needs the person, else once a minute at most."""
    needed = state in (BadgeState.NEEDS, BadgeState.REFUSED)
    return needed or since_last_ms is None or since_last_ms >= ANNOUNCE_EVERY_MS


class SyncBadge(QAbstractButton):
    """A button that says how syncing stands; `clicked` asks for more.

    `compact` shows the icon alone, with the words in its tooltip and its accessible name.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = BadgeState.SENT
        self._compact = False
        self._last_told = QElapsedTimer()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(fonts.font(Step.SMALL, semibold=True))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleDescription(_("Shows how syncing stands"))

    @property
    def state(self) -> BadgeState:
        """The state shown."""
        return self._state

    def show_state(self, state: BadgeState, words: str) -> None:
        """Show a state in words such as "Up to date · 10:42"; tells screen readers when it is due."""
        if (state, words) == (self._state, self.text()):
            return
        self._state = state
        self.setText(words)
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()
        since = self._last_told.elapsed() if self._last_told.isValid() else None
        if self.isVisible() and may_announce(state, since):
            self._last_told.start()
            announce(self, words)

    def set_compact(self, compact: bool) -> None:
        """Show the icon alone, or icon and words."""
        self._compact = compact
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Icon, words and the space around them."""
        wide = S8 + ICON + S8
        if not self._compact:
            wide += round(paint.width(self.text(), self.font())) + S4 + S4
        return QSize(max(wide, TOUCH), fonts.px(TOUCH))

    def minimumSizeHint(self) -> QSize:
        """The icon must always be seen."""
        return QSize(TOUCH, fonts.px(TOUCH))

    def changeEvent(self, event: QEvent) -> None:
        """Paint anew in other colours."""
        super().changeEvent(event)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, icon, words and ring."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tone = TONES[self._state]
        rect = QRectF(self.rect()).adjusted(0, 2, 0, -2)
        radius = rect.height() / 2
        paint.pill(painter, rect, GROUNDS[tone], radius)
        left = (self.width() - ICON) / 2 if self._compact else S8
        square = QRectF(left, (self.height() - ICON) / 2, ICON, ICON)
        icons.paint(painter, ICONS[self._state], square, INKS[tone])
        if not self._compact:
            start = square.right() + S4
            words = paint.elided(self.text(), self.font(), self.width() - start - S8)
            base = paint.baseline(0, self.height(), self.font())
            paint.draw(painter, QPointF(start, base), words, self.font(), ink(INKS[tone]))
        if self.hasFocus():
            paint.ring(painter, rect, radius - 1)
