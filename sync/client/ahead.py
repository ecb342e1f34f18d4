"""The next request of an upload goes out while the answer to the last one is laid in: both ends work at once.

It is sent only where that answer had nothing but the word that all was taken as it was. Whatever happens before it is
asked for, nothing depends on it: the ops stay in the outbox, and sent again they are answered as they were then.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec

from sync.client.line import Line
from sync.client.ports import Answer, Replica, Stands
from sync.protocol import codec, messages
from sync.protocol.errors import Outcome
from sync.protocol.messages import ExchangeHead, Paper, ReplyHead
from sync.protocol.ops import Op


class Asked(msgspec.Struct, frozen=True):
    """A request that went out, or is about to: what it says, and where its answer is to be had."""

    head: ExchangeHead
    ops: list[Op]
    body: bytes
    answer: Callable[[], bytes] | None = None  # of one that went out already

    def fits(self, stands: Stands) -> bool:
        """Whether it is still what this device would ask: the next ops that wait, from where it has read to."""
        position, first = stands.position, stands.position.last_n - stands.unsent + 1
        same = (self.head.incarnation, self.head.cursor) == (position.incarnation, position.cursor)
        return same and bool(self.ops) and self.ops[0].n == first


def ask(
    replica: Replica,
    line: Line,
    last: Asked,
    reply: ReplyHead,
    answer: Answer,
    papers: list[Paper],
    most: int,
) -> None:
    """Send the next ops, if the answer to the `last` ones leaves it at that. Raises nothing: they go later, else."""
    plain = not (
        papers or answer.changes or answer.conflicts or reply.more or last.head.recovered or last.head.obeyed
    )
    taken = all(
        each.outcome is Outcome.OK and each.row is None and not each.conflicts for each in answer.results
    )
    before, after = last.head.cursor, reply.cursor
    same = (before.epoch, before.scopes, before.care) == (after.epoch, after.scopes, after.care)
    left = last.head.unsent - len(last.ops)
    whole = last.ops and reply.acked_n == last.ops[-1].n
    if not (whole and plain and taken and same and left > 0 and line.session):
        return
    ops = replica.take(most, messages.OPS_BYTES_MAX, last.ops[-1].n)
    if not ops:
        return
    head = msgspec.structs.replace(last.head, cursor=after, nonce=secrets.token_hex(16), unsent=left)
    body = codec.encode([(messages.HEAD, head), *((messages.OP, op) for op in ops)])
    line.ahead = Asked(head, ops, body, line.begin(messages.EXCHANGE_PATH, body))
