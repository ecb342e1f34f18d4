"""Where a person was: back and forth between sections and records."""

from __future__ import annotations

from typing import Final

Place = tuple[str, bytes | None]  # a section and the record shown in it
KEPT: Final = 50


class History:
    """The places before this one, and those after it while one goes back."""

    def __init__(self) -> None:
        self._past: list[Place] = []
        self._future: list[Place] = []

    def leave(self, here: Place) -> None:
        """Going somewhere new from here."""
        if not self._past or self._past[-1] != here:
            self._past.append(here)
            del self._past[:-KEPT]
        self._future.clear()

    def back(self, here: Place) -> Place | None:
        """The place before, None at the beginning."""
        return _turn(self._past, self._future, here)

    def forth(self, here: Place) -> Place | None:
        """The place that was left by going back, None at the end."""
        return _turn(self._future, self._past, here)

    @property
    def goes_back(self) -> bool:
        """Whether there is a place before."""
        return bool(self._past)

    @property
    def goes_forth(self) -> bool:
        """Whether going back has left a place."""
        return bool(self._future)

    def clear(self) -> None:
        """Forget every place."""
        self._past.clear()
        self._future.clear()


def _turn(source: list[Place], other: list[Place], here: Place) -> Place | None:
    if not source:
        return None
    other.append(here)
    return source.pop()
