"""Asks before a journey begins what somebody on it would rather have known at home."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.services import journey_words
from app.viewmodels.shell import Shell
from sync.protocol.texts import gettext as _

if TYPE_CHECKING:
    from PySide6.QtWidgets import QVBoxLayout

    from app.ui.workplace import Workplace


def ask(place: Workplace, shell: Shell) -> None:
    """Below the top bar, with the focus on no; the end of a journey takes nothing away and is not asked about."""
    from app.ui.kit.buttons import Part
    from app.ui.question import take_away
    from app.ui.sure_panel import SurePanel

    session = shell.session
    if session is None or session.state.travelling:
        shell.travel()
        return
    column: QVBoxLayout = place.layout()  # type: ignore[assignment] # it made it itself
    take_away(column, place.findChild(SurePanel, "journey"))
    panel = SurePanel(*journey_words.question(session), _("Begin the journey"), Part.PLAIN)
    panel.setObjectName("journey")

    def left() -> None:
        take_away(column, panel)
        place.begin()

    def sure() -> None:
        left()
        shell.travel()

    panel.done.connect(left)
    panel.sure.connect(sure)
    column.insertWidget(1, panel)
    panel.show()
    panel.enter()
