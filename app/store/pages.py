"""Pages of the server laid in piece by piece, in one transaction from the first piece until it is committed or dropped.

A commit signs and writes each page of the file that was touched, and the rows of many pieces touch the same ones.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import msgspec

from app.store import sight
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Applied
from sync.protocol.messages import Change, Cursor


class End(msgspec.Struct, frozen=True):
    """The end of a page that has no conflicts, once all of its rows are laid in."""

    cursor: Cursor
    durable_seq: int
    more: bool


class Pages:
    """Pages over one open store, piece by piece, in its thread. What is not committed is as if it had never been."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._replica = StoreReplica(store)
        self._open = contextlib.ExitStack()

    def lay(self, changes: list[Change], acked_n: int) -> Applied | None:
        """Lay rows in, in the transaction that is open or a new one; None where ops up to `acked_n` have to be settled
        before. They end no work and take no record away.

        Raises what writing raises; then nothing stays of what was laid in since the last commit.
        """
        if acked_n > self._store.here().acked_n:
            return None
        with self._dropped():
            if not self._store.db.writing:
                # All of it can be had again from the server, so nobody waits for the disk.
                self._open.enter_context(self._store.db.write(durable=False))
            return self._replica.lay_piece(changes)

    def commit(self, end: End | None) -> bool:
        """Commit what was laid in, and with it the `end` of the page; whether that is written. Where it is not, it is
        for the store's own thread.

        Raises what writing raises; then nothing stays of what was laid in since the last commit.
        """
        with self._dropped():
            ends = end is not None and self._note(end)
        self._open.close()
        return ends

    def _note(self, end: End) -> bool:
        """Note how far was read. That more is durable lets go of work that was taken, which waits for the disk: it is
        told again with the next page, and the store's own thread does it with the last one at the latest. So it does
        where something becomes hidden, or the last of that has just gone: what lies beside the rows goes with it.
        """
        here = self._store.here()
        if not end.more and end.durable_seq > here.durable_seq:
            return False
        if end.cursor.care < here.cursor.care or sight.gone_through(here.cursor, end.cursor):
            return False
        self._store.db.execute("UPDATE here SET cursor = ?", (msgspec.msgpack.encode(end.cursor),))
        return True

    @contextlib.contextmanager
    def _dropped(self) -> Iterator[None]:
        """Nothing of the transaction stays when the block raises."""
        try:
            yield
        except BaseException as problem:
            self._open.__exit__(type(problem), problem, problem.__traceback__)
            raise
