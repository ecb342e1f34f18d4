"""Lines held open for a page that follows an order: they say that there is something, and carry nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from sync.console.gate import Gate

LINES: Final = 40
LOOK_S: Final = 1.0  # between two looks at a device
BEAT: Final = 15  # looks between two signs of life
LOOKS: Final = 900  # of one line; the browser joins again by itself
_HEADS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
}


class NewsLines:
    """The lines that are held; `run` does work in a thread."""

    def __init__(self, gate: Gate, run: Callable[[Callable[[], object]], Awaitable[object]]) -> None:
        self._gate = gate
        self._run = run
        self._held = 0
        self._over = asyncio.Event()

    def join(self, request: Request) -> Response:
        """A line about the device that the path names, for who may see it."""
        if self._held >= LINES or self._over.is_set():
            return PlainTextResponse("", status_code=503, headers={"Retry-After": "30"})
        enrolment = str(request.path_params["enrolment"])
        return StreamingResponse(self._tell(enrolment), media_type="text/event-stream", headers=_HEADS)

    def close(self) -> None:
        """End every line."""
        self._over.set()

    async def _tell(self, enrolment: str) -> AsyncIterator[bytes]:
        self._held += 1
        try:
            yield b"retry: 3000\n\n"
            told = await self._stand(enrolment)
            for look in range(1, LOOKS):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._over.wait(), LOOK_S)
                if self._over.is_set():
                    return
                stands = await self._stand(enrolment)
                if stands != told:
                    told = stands
                    yield b"data: news\n\n"
                elif look % BEAT == 0:
                    yield b": here\n\n"
        finally:
            self._held -= 1

    async def _stand(self, enrolment: str) -> object:
        """What of a device would look different on its page."""
        dossier = await self._run(lambda: self._gate.dossier(enrolment))
        return getattr(dossier, "orders", None), getattr(dossier, "proof", None), _of_row(dossier)


def _of_row(dossier: object) -> object:
    row = getattr(dossier, "row", None)
    return row and (row.state, row.pending, row.last_seen, row.unsent)
