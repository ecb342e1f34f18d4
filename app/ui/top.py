"""The bar at the top of the workplace: search, the way to the palette, lock, and the main button."""

from __future__ import annotations

from app.commands import BY_ID, PALETTE
from app.ui.kit.bars import Brand, TopBar
from app.ui.kit.buttons import Button, Part
from app.ui.kit.search_field import SearchField
from app.ui.shortcuts import shown_keys, tip
from app.ui.theme import fonts
from app.ui.theme.tokens import RAIL_WIDTH, S12, Step
from sync.protocol.texts import gettext as _


def _cap(command: str) -> str:
    """Keys as they stand on a cap: without the sign between them."""
    return shown_keys(BY_ID[command]).replace("+", " ")


class Top(TopBar):
    """What is clicked and typed here is wired by the workplace."""

    def __init__(self) -> None:
        self.search = SearchField(_("Search"), _("Search customers, deals, notes"), _cap("find"))
        super().__init__(Brand("Fieldkeep"), self.search, fonts.px(RAIL_WIDTH) + S12)
        self.palette_button = Button(_cap(PALETTE), Part.QUIET, "command")
        self.palette_button.setFont(fonts.font(Step.SMALL))
        self.palette_button.setToolTip(tip(BY_ID[PALETTE]))
        self.palette_button.setAccessibleName(_(BY_ID[PALETTE].title))
        self.add_beside(self.palette_button)
        self.lock_button = Button(_("Lock"))
        self.lock_button.setToolTip(tip(BY_ID["lock"]))
        self.new_button = Button(_("New"), Part.MAIN)
        self.new_button.setToolTip(tip(BY_ID["new"]))
        self.add(self.lock_button)
        self.add(self.new_button)

    def set_compact(self, compact: bool) -> None:
        """The palette's icon alone, or its keys too."""
        self.palette_button.setText("" if compact else _cap(PALETTE))
