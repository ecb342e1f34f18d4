"""Fetches a ready part (sync/protocol/ready.py): asks for one, and for its pieces, each once more when it was lost.

Which road is the quicker one depends on the line: the first piece tells, and whoever fetches may leave it at that.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

from sync.client.errors import ExchangeError, ServerRefused, Unreachable
from sync.client.line import Line, head, whole
from sync.protocol import codec, messages, ready
from sync.protocol.errors import BadFrames, KnownError, Problem
from sync.protocol.messages import (
    ReadyHead,
    ReadyPieceHead,
    ReadyPieceReply,
    ReadyReply,
)

PAGES_ROW_S: Final = 100e-6  # what a row takes page by page, at least
TRIES: Final = 4  # of one piece
AGAIN_S: Final = 1.0
AHEAD: Final = 2  # pieces that wait, fetched and not yet laid in
LOOK_S: Final = 0.25  # between two looks at whether anybody still wants it
PIECES_MAX: Final = 100_000


class Dropped(KnownError):
    """Pages are the better road, or the only one left."""


def offered(line: Line, layout: bytes) -> ReadyReply | None:
    """The part that there is for a store laid out so; None where there is none. Raises ExchangeError."""
    if not line.session:
        return None  # the next exchange opens one
    body = codec.encode([(messages.HEAD, ReadyHead(layout=layout))])
    try:
        reply = head(whole(line.post(messages.READY_PATH, body)), ReadyReply)
    except ServerRefused as refusal:
        if refusal.problem is Problem.NOT_HERE:
            return None
        raise
    sound = (
        len(reply.part) == ready.PART_BYTES
        and len(reply.key) == ready.KEY_BYTES
        and 0 < len(reply.lengths) <= PIECES_MAX
        and all(0 < length <= ready.PIECE_MAX for length in reply.lengths)
        and reply.rows > 0
    )
    return reply if sound else None


def pieces(line: Line, part: ReadyReply, go_on: Callable[[], None]) -> Iterator[bytes]:
    """The plain pieces in their order, fetched ahead of whoever takes them. `go_on` is asked all the time, to raise.

    Raises Dropped where pages are quicker, where the part is gone or does not hold, and where the line stays broken.
    """
    fetched: queue.Queue[bytes | KnownError] = queue.Queue(AHEAD)
    over = threading.Event()
    thread = threading.Thread(
        target=_fetch, args=(line, part, fetched, over), name="fieldkeep-ready", daemon=True
    )
    thread.start()
    try:
        for _each in part.lengths:
            yield _next(fetched, go_on)
    finally:
        over.set()
        thread.join()  # the line is for one thread at a time


def _next(fetched: queue.Queue[bytes | KnownError], go_on: Callable[[], None]) -> bytes:
    while True:
        go_on()
        try:
            found = fetched.get(timeout=LOOK_S)
        except queue.Empty:
            continue
        if isinstance(found, KnownError):
            raise Dropped(found.title) from None
        return found


def _fetch(
    line: Line, part: ReadyReply, fetched: queue.Queue[bytes | KnownError], over: threading.Event
) -> None:
    began = time.monotonic()
    for number, length in enumerate(part.lengths):
        found = _piece(line, part, number, over)
        took = time.monotonic() - began
        slow = number == 0 and took * sum(part.lengths) / length > max(1.0, part.rows * PAGES_ROW_S)
        _hand(fetched, Dropped("slow") if slow else found, over)
        if slow or isinstance(found, KnownError) or over.is_set():
            return


def _hand(fetched: queue.Queue[bytes | KnownError], found: bytes | KnownError, over: threading.Event) -> None:
    while not over.is_set():
        try:
            fetched.put(found, timeout=LOOK_S)
        except queue.Full:
            continue
        return


def _piece(line: Line, part: ReadyReply, number: int, over: threading.Event) -> bytes | KnownError:
    body = codec.encode([(messages.HEAD, ReadyPieceHead(part=part.part, number=number))])
    problem: KnownError = Dropped("")
    for _try in range(TRIES):
        if over.is_set():
            break
        try:
            frames = whole(line.post(messages.READY_PIECE_PATH, body))
            said = head(frames, ReadyPieceReply)
            if len(frames) == 2 and frames[1][0] == messages.PART:
                data = codec.read(frames[1][1], bytes)
                if len(data) == said.length == part.lengths[number]:
                    # here, while whoever takes them enciphers the one before
                    return ready.open_piece(part.key, part.part, number, data)
            return Dropped("")
        except Unreachable as unreached:
            problem = unreached
            over.wait(AGAIN_S)
        except (ExchangeError, BadFrames, RuntimeError) as other:  # no session: the next exchange opens one
            return other if isinstance(other, KnownError) else problem
    return problem
