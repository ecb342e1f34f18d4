"""Brings something up to the server piece by piece: from where the server stopped, until it holds all of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import BinaryIO, Final

from sync.client.errors import Unreachable
from sync.protocol.messages import PieceReply

_TRIES: Final = 3  # answers without any progress before the rest is left for another time
_SMALLEST: Final = 16 * 2**10
_LARGEST: Final = 256 * 2**10
_AIM_S: Final = 2.0  # for a piece: whatever waits behind it waits no longer than that

Ask = Callable[[int, bytes], PieceReply]  # send what begins there, or ask with nothing; how much is held then


class Climb:
    """How far one thing is. `stuck` is raised when the server takes no more of it."""

    def __init__(self, ask: Ask, source: BinaryIO, length: int, stuck: Unreachable) -> None:
        self._ask = ask
        self._source = source
        self._length = length
        self._stuck = stuck
        self._held: int | None = None
        self._in_vain = 0

    def step(self, most: int) -> bool:
        """Ask at first, then bring one piece; whether the server holds all of it. Raises ExchangeError."""
        if self._held is None:
            reply = self._ask(0, b"")
        else:
            self._source.seek(self._held)
            reply = self._ask(self._held, self._source.read(min(most, self._length - self._held)))
            self._in_vain = 0 if reply.whole or reply.held > self._held else self._in_vain + 1
            if self._in_vain >= _TRIES:
                raise self._stuck
        if not 0 <= reply.held <= self._length or (reply.whole and reply.held < self._length):
            raise self._stuck
        self._held = reply.held
        return reply.whole


class Pace:
    """How large pieces are that go behind everything else: as much as the line takes in about two seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = 0.0
        self.size = 4 * _SMALLEST

    def begins(self) -> int:
        """A piece is about to go; its size."""
        self._began = self._clock()
        return self.size

    def ended(self) -> None:
        """It has gone."""
        took = max(self._clock() - self._began, 0.001)
        fitting = int(self.size * min(2.0, _AIM_S / took))
        self.size = max(_SMALLEST, min(_LARGEST, fitting))
