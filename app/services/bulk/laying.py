"""Lays the pages of a round in through the bulk process, in one transaction unless a save has to come in between."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from typing import Final

import msgspec

from app.services.bulk.pen import Pen
from app.services.bulk.pipe import Commit, Committed, Laid, Lay
from app.services.bulk.process import BulkProcess, Gone
from app.store.pages import End
from sync.client.ports import Answer, Applied
from sync.protocol.kinds import KINDS

_LOG = logging.getLogger("app.services.bulk")

LEAST: Final = 200  # rows of a page for which a second process is worth its start
PIECE: Final = 250  # rows laid in before anybody looks whether a save waits
MOST: Final = 1_000  # rows of one transaction: a save waits for its commit as well
SILENCE_S: Final = 15.0  # what a piece or a commit takes at most, on whatever machine
LEFT: Final = "left"


class Laying:
    """The pages of one round; for the engine's thread alone. `rest` ends its process."""

    def __init__(
        self, begin: Callable[[], BulkProcess], pen: Pen, wrote: Callable[[Collection[str]], None]
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

    def lay(self, answer: Answer) -> tuple[Applied, Answer | None]:
        """Lay the rows of a page in; what that did, and what is left of the page for the store's own thread, None where
        nothing is.

        Raises what the store raises. Without a process that works, all of the page is left.
        """
        laid: list[Applied] = []
        at, ends = 0, False
        try:
            if self._process is None:
                self._process = self._begin()
            while at < len(answer.changes):
                some, ends = self._transaction(self._process, answer, at)
                if not some:
                    break
                laid += some
                at += len(some) * PIECE
        except Gone:
            # It may have come in and only its word been lost: then the rows are known by now, and change nothing.
            self._wrote({change.kind for change in answer.changes[at : at + MOST]})
            self._in_vain = True
            self._process = None
            _LOG.info("rows are laid in without the bulk process")
        rest = None if ends else msgspec.structs.replace(answer, changes=answer.changes[at:])
        return together(laid), rest

    def _transaction(self, process: BulkProcess, answer: Answer, at: int) -> tuple[list[Applied], bool]:
        """Rows from `at` on in one transaction; what each piece did, and whether the page has come to its end.

        The pen is held from its first row to its commit, which comes as soon as anybody waits for the pen.
        """
        changes, until = answer.changes, min(len(answer.changes), at + MOST)
        laid: list[Applied] = []
        turned: set[str] = set()
        with self._pen.held(patient=True):
            try:
                while at < until and not (laid and self._pen.wanted):
                    done = process.ask(Lay(changes[at : at + PIECE], answer.acked_n), silence_s=SILENCE_S)
                    if not isinstance(done, Laid) or done.applied is None:
                        break
                    at += PIECE
                    laid.append(done.applied)
                    turned.update(done.turned)
                if not laid:
                    return [], False
                end = None
                if at >= len(changes) and not answer.conflicts:
                    end = End(answer.cursor, answer.durable_seq, answer.more)
                committed = process.ask(Commit(end), silence_s=SILENCE_S)
            except BaseException:
                # Whatever it was: with the pen given away no transaction is open any more.
                process.end()
                self._process = None
                raise
            self._wrote(turned)
        return laid, isinstance(committed, Committed) and committed.ends

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
