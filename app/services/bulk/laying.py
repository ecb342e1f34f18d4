"""Lays the pages of a round in through the bulk process, a few hundred rows at a time: saves come in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

import msgspec

from app.services.bulk.pipe import Laid, Lay
from app.services.bulk.process import BulkProcess, Gone
from sync.client.ports import Answer, Applied
from sync.protocol.kinds import KINDS

_LOG = logging.getLogger("app.services.bulk")

LEAST: Final = 200  # rows of a page for which a second process is worth its start
PIECE: Final = 500  # rows of one transaction: what a person's save waits for at most
SILENCE_S: Final = 15.0  # what a piece takes at most, on whatever machine
LEFT: Final = "left"


class Laying:
    """The pages of one round; for the engine's thread alone. `rest` ends its process."""

    def __init__(
        self,
        begin: Callable[[], BulkProcess],
        pen: Callable[[], AbstractContextManager[None]],
        wrote: Callable[[list[str]], None],
    ) -> None:
        """`wrote` hears after each transaction of which kinds records came, went or are called otherwise."""
        self._begin = begin
        self._pen = pen
        self._wrote = wrote
        self._process: BulkProcess | None = None
        self._in_vain = False

    def takes(self, answer: Answer) -> bool:
        """Whether this page is for it: many rows, and nothing that ends work or takes records away."""
        return (
            not self._in_vain
            and len(answer.changes) >= LEAST
            and not answer.results
            and all(change.gone != LEFT and change.kind in KINDS for change in answer.changes)
        )

    def lay(self, answer: Answer) -> tuple[Applied, Answer]:
        """Lay the rows of a page in; what that did, and what is left of the page for the store's own thread.

        Raises what the store raises. Without a process that works, all of the page is left.
        """
        laid: list[Applied] = []
        at = 0
        try:
            if self._process is None:
                self._process = self._begin()
            while at < len(answer.changes):
                piece = answer.changes[at : at + PIECE]
                with self._pen():
                    done = self._process.ask(Lay(piece, answer.acked_n), silence_s=SILENCE_S)
                if not isinstance(done, Laid) or done.applied is None:
                    break
                at += PIECE
                self._wrote(done.turned)
                laid.append(done.applied)
        except Gone:
            # It may have come in and only its word been lost: then the rows are known by now, and change nothing.
            self._wrote(list({change.kind for change in answer.changes[at : at + PIECE]}))
            self._in_vain = True
            self._process = None
            _LOG.info("rows are laid in without the bulk process")
        return together(laid), msgspec.structs.replace(answer, changes=answer.changes[at:])

    def rest(self) -> None:
        """The round is over, or the store closes."""
        process, self._process, self._in_vain = self._process, None, False
        if process is not None:
            process.end()


def together(laid: Sequence[Applied]) -> Applied:
    """All as one; a record that looks different after several is told once."""
    return Applied(
        list(dict.fromkeys(record for each in laid for record in each.records)),
        conflicts=sum(each.conflicts for each in laid),
        rejected=sum(each.rejected for each in laid),
        received=sum(each.received for each in laid),
        left=sum(each.left for each in laid),
    )
