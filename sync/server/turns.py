"""Turns of requests: so many in work, the others in their order, and no work for those who no longer wait for it."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from starlette.requests import ClientDisconnect, Request

from sync.protocol.errors import Problem
from sync.server import limits
from sync.server.errors import RequestProblem

T = TypeVar("T")

_LAST_FEW: Final = 32  # turns that tell how long one takes now


class Turns:
    """Requests in work and waiting, so that a crowd waits in order and does not eat the memory; and bodies under way.

    A body that dribbles in takes no turn: nobody has signed anything yet, and whoever sends it takes no place but
    those of its own address.
    """

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(limits.AT_ONCE, thread_name_prefix="fieldkeep-request")
        self.waiting = 0  # in work and before it
        self._free = asyncio.Semaphore(limits.AT_ONCE)
        self._took = 0.0  # seconds of a turn, as the last few were
        self._next = 0.0  # when the next of those who were sent away is expected
        self._bodies: Counter[str] = Counter()  # under way, by address
        self._bytes = 0  # of all of them, as far as they are here

    def look(self) -> None:
        """Whether there is a turn to be had in time. Raises RequestProblem where too many wait."""
        if self.waiting >= limits.WAITING or self._took * self.waiting / limits.AT_ONCE > limits.PATIENCE_S:
            raise busy("crowd", self._place())

    def _place(self) -> int:
        """In how many seconds to come back: each who is sent away is given a place behind the one before.

        All of them told the same would all be back at once.
        """
        now = time.monotonic()
        self._next = min(max(self._next, now + limits.RETRY_S), now + limits.RETRY_LAST_S)
        place = self._next - now
        self._next += self._took * limits.TURNS_OF_ONE / limits.AT_ONCE
        return math.ceil(place)

    async def run(self, request: Request, work: Callable[[bytes], T], body: bytes) -> T:
        """Run `work` on the whole body in a thread, in its turn.

        Raises RequestProblem, ClientDisconnect where nobody waits for it any more, and what `work` raises.
        """
        self.look()
        self.waiting += 1
        try:
            waited = self._free.locked()
            async with self._free:
                # Who has gone asks again: both would be done, and those behind would have gone by then, too.
                if waited and await request.is_disconnected():
                    raise ClientDisconnect
                began = time.monotonic()
                try:
                    return await asyncio.get_running_loop().run_in_executor(self.threads, work, body)
                finally:
                    self._took += (time.monotonic() - began - self._took) / _LAST_FEW
        finally:
            self.waiting -= 1

    async def receive(self, request: Request, most: int) -> bytes:
        """A whole body, of so many bytes at most. Raises RequestProblem, ClientDisconnect."""
        address = request.client.host if request.client else ""
        if self._bodies[address] >= limits.BODIES:
            raise busy("bodies")
        self._bodies[address] += 1
        whole = bytearray()
        try:
            async for piece in request.stream():
                whole += piece
                self._bytes += len(piece)
                if len(whole) > most:
                    raise RequestProblem(Problem.TOO_BIG, why="size")
                if self._bytes > limits.BODIES_BYTES:
                    raise busy("bodies")
        finally:
            self._bytes -= len(whole)
            self._bodies[address] -= 1
            if not self._bodies[address]:
                del self._bodies[address]
        return bytes(whole)


def busy(why: str, retry_after: int = limits.RETRY_S) -> RequestProblem:
    """The refusal of a request for which there is no room now."""
    return RequestProblem(Problem.BUSY, why=why, retry_after=retry_after)
