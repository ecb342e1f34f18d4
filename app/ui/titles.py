"""The titles of windows: the product and what kind of thing is shown, never a record's name."""

from __future__ import annotations

from typing import Final

PRODUCT: Final = "Fieldkeep"


def title(shown: str = "", number: int = 1) -> str:
    """The title of a window; titles are read over shoulders, and by other programs.

    Windows that show the same kind of thing are told apart by a number, and by nothing that stands in them.
    """
    name = f"{PRODUCT} – {shown}" if shown else PRODUCT
    return f"{name} ({number})" if number > 1 else name
