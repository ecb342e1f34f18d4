"""How far a long act is and how long it will take, told by the thread that works and asked by the one that shows it."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.errors import Stopped
from sync.protocol.texts import gettext as _
from sync.protocol.texts import ngettext

PIECE: Final = 500  # rows between two words about it, and between two looks at whether to go on

_MINUTE: Final = 60

SURE_S: Final = 1.0  # before this, nobody knows how long it takes


class Stage(enum.Enum):
    """What is being done; each stage goes at a pace of its own."""

    READING = enum.auto()  # from cells to values
    COMPARING = enum.auto()  # with what is in the book
    WRITING = enum.auto()
    PREPARING = enum.auto()  # search, after an update


Told = Callable[[Stage, int, int], None]  # stage, rows done and rows in all; may raise Stopped


def quiet(_stage: Stage, _at: int, _total: int) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Far:
    """How far it is: rows done and in all of this stage, and the seconds it still takes, None while nobody knows."""

    stage: Stage
    at: int
    total: int
    left: float | None


class Progress:
    """Told by the working thread, read and stopped by any other."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._stopping = threading.Event()
        self._begun: tuple[Stage, float] | None = None
        self._far: Far | None = None

    def __call__(self, stage: Stage, at: int, total: int) -> None:
        """So far it is. Raises Stopped when it is not to go on; whoever works then leaves nothing behind."""
        if self._stopping.is_set():
            raise Stopped(_("Stopped. Nothing was imported."))
        now = self._clock()
        if self._begun is None or self._begun[0] is not stage:
            self._begun = (stage, now)
        taken = now - self._begun[1]
        left = max(0.0, (total - at) * taken / at) if at and taken >= SURE_S else None
        self._far = Far(stage, at, total, left)

    def stop(self) -> None:
        """Do not go on."""
        self._stopping.set()

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    def far(self) -> Far | None:
        """How far it is; None before the first word."""
        return self._far


def sentence(far: Far | None, number: Callable[[int], str] = str) -> str:
    """How far it is and how long it will still take, in words; `number` writes numbers."""
    if far is None:
        return _("Reading the files …")
    if far.stage is Stage.READING:
        what = _("Reading")
    elif far.stage is Stage.COMPARING:
        what = _("Comparing with your book")
    elif far.stage is Stage.PREPARING:
        what = _("Preparing search")
    else:
        what = _("Bringing in")
    said = _("{what}: {n} of {total}").format(what=what, n=number(far.at), total=number(far.total))
    return said if far.left is None else f"{said} · {left_words(far.left)}"


def left_words(seconds: float) -> str:
    """How long it will still take."""
    if seconds < _MINUTE:
        return _("under a minute left")
    minutes = round(seconds / _MINUTE)
    return ngettext("about {n} minute left", "about {n} minutes left", minutes).format(n=minutes)
