"""Holds back a page that would take very much from a device when the server cannot say why.

The server says of each page how many of the records that it takes away its log accounts for: deleted by somebody, given
to others, out of sight since rights changed (`ReplyHead.accounted`). What is beyond that is counted over a chain of
pages. Once it comes to much, the page is not laid in and the cursor stays: each later exchange is judged anew, so that
it goes on by itself when the server has come to itself. What waits goes up all the same. A person who asks once more
has the server asked about each record by itself; what it says again then goes.
"""

from __future__ import annotations

from typing import Final

import msgspec

from sync.client.errors import ExchangeError
from sync.client.ports import Answer, Position, Replica
from sync.protocol.messages import Change, Cursor, ReplyHead
from sync.protocol.texts import gettext as _

MANY: Final = 100  # so many may go without a word: a slip costs less than a device that stops
PART: Final = 5  # and more where they are less than one in so many

_NOWHERE: Final = Cursor()


class HeldBack(ExchangeError):
    """The server would take very much away and cannot say why; all of it is still here."""


class HoldingBack:
    """What the pages of a chain have taken away without a reason; one for as long as a session lasts."""

    def __init__(self) -> None:
        self.count = (
            0  # records that the last answer would have taken, and how many were here; 0 when it was laid in
        )
        self.of = 0
        self.changes: list[Change] = []  # those that would have gone
        self._chain: tuple[int, int] | None = None  # of a chain under way: here at its begin, and gone since
        self._confirmed: frozenset[bytes] = frozenset()

    def judge(self, replica: Replica, reply: ReplyHead, answer: Answer, position: Position) -> Answer:
        """The answer, or what of it is laid in while the rest is held back: what the server said to our own ops."""
        gone = [each for each in answer.changes if each.gone and each.id not in self._confirmed]
        self.count, self.of, self.changes = 0, 0, []
        without = len(gone) - self._accounted(reply, position, gone)
        if without > 0:
            lost, here = replica.loses(gone)
            began, before = self._chain or (here, 0)
            total = before + min(lost, without)
            if total > MANY and total * PART > began:
                self.count, self.of, self.changes = lost, here, gone
                return msgspec.structs.replace(
                    answer, changes=[], conflicts=[], cursor=position.cursor, more=False
                )
            self._chain = (began, total)
        if not reply.more:
            self._chain, self._confirmed = None, frozenset()
        return answer

    def confirm(self, ids: frozenset[bytes]) -> None:
        """These go: the server was asked about each of them, for a person who wanted to know."""
        self._confirmed |= ids

    def refusal(self) -> HeldBack:
        """What is held back, in words."""
        return HeldBack(
            _("The server would take {n} of {of} records from this device and cannot say why.").format(
                n=self.count, of=self.of
            ),
            _(
                "Nothing was taken, and your changes go up. Ask IT. If it is meant, try again, or run: "
                "fieldkeep sync --let-go"
            ),
        )

    def _accounted(self, reply: ReplyHead, position: Position, gone: list[Change]) -> int:
        if reply.accounted >= 0:
            return min(len(gone), reply.accounted)
        # A server that does not say it yet: what goes because rights changed shows in the cursor.
        moved = position.cursor != _NOWHERE and reply.cursor.scopes != position.cursor.scopes
        return len(gone) if moved or reply.cursor.scopes < 0 else 0
