"""What may be done with records beyond the program itself: export, print, copy, open outside, attach, screenshot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sync.protocol.documents import UseRules
from sync.protocol.texts import mark as N_

EXPORT: Final = "export"
PRINT: Final = "print"
COPY: Final = "copy"
OPEN_OUTSIDE: Final = "open_outside"
ATTACH: Final = "attach"
SCREENSHOT: Final = "screenshot"

LABELS: Final[Mapping[str, str]] = {
    EXPORT: N_("writing records or their files to files of your own"),
    PRINT: N_("printing"),
    COPY: N_("copying to the clipboard"),
    OPEN_OUTSIDE: N_("opening files in other programs"),
    ATTACH: N_("attaching files"),
    SCREENSHOT: N_("screenshots"),
}
USES: Final = tuple(LABELS)
ALLOW: Final = "allow"
BLOCK: Final = "block"


def blocked_by(rules: UseRules) -> frozenset[str]:
    """The uses that these rules take away; a word that is not known takes away."""
    return frozenset(use for use in USES if getattr(rules, use) != ALLOW)
