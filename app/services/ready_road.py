"""The quick road of a first download: a ready part in the place of a store that has just been begun.

The first rows come as a page, so that there is a list on the screen; then the part, with whatever was typed meanwhile
on top; what changed behind the part, or is typed later, goes by pages as ever. Whatever goes wrong on this road leaves
the store as it is and the pages to go on: nothing is lost but time.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from app.changes import SYNC, Changes
from app.errors import AppError
from app.services.session import ACTIVE, Session
from sync.client import ready
from sync.client.cycle import Page
from sync.client.errors import ExchangeError
from sync.client.line import Line

if TYPE_CHECKING:
    from sync.protocol.messages import ReadyReply

_LOG = logging.getLogger("app.services.ready_road")
LEAST: Final = 5_000  # numbers that are still to come


def is_worth_asking(page: Page) -> bool:
    """Whether so much is to come behind this page that a part may be quicker, and it was the first one."""
    return page.more and page.begin == 0 and page.end - page.at >= LEAST


def take(session: Session, line: Line, read: int) -> int:
    """Put a ready part in the place of this store, if there is one for it that goes further than the number that was
    `read`; how many rows it brought, 0 for none.

    Raises Locked when the store was locked meanwhile.
    """
    from app.store import ready as parts  # an exchange comes after the first list

    layout = session.call(lambda store: parts.layout(store.db) if parts.may_take(store) else b"")
    rows = 0
    try:
        part = ready.offered(line, layout) if layout else None
        if part is not None and part.cursor.seq > read and _laid_in(session, line, part):
            rows = part.rows
    except (ready.Dropped, ExchangeError, OSError) as problem:
        _LOG.info("no ready part: %s", type(problem).__name__)
    except AppError as problem:
        _LOG.info("a ready part came to nothing: %s", type(problem).__name__)
        if session.stage != ACTIVE:
            raise
    finally:
        with contextlib.suppress(OSError):
            parts.clear(session.profile)
    if rows:
        session.tell(Changes((), SYNC))
        _LOG.info("a ready part was laid in")
    return rows


def _laid_in(session: Session, line: Line, part: ReadyReply) -> bool:
    from app.store import ready as parts

    with session.store.key() as key:
        parts.unpack(session.profile, key, _pieces(session, line, part))
    return session.store.change_file(lambda store, key: parts.put_in_place(session.profile, key, store))


def _pieces(session: Session, line: Line, part: ReadyReply) -> Iterator[bytes]:
    def go_on() -> None:
        if session.stage != ACTIVE or session.store.is_shut:
            raise session.locked_error()

    yield from ready.pieces(line, part, go_on)
