"""The titles of windows: the product and what kind of thing is shown, never a record's name."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "Fieldkeep"


def title(shown: str = "") -> str:
    """The title of a window; titles are read over shoulders, and by other programs."""
    return f"{PRODUCT} – {shown}" if shown else PRODUCT
