"""A server's refusal laid into a real store: what waits comes back as not taken."""

from __future__ import annotations

from app.store import outbox
from app.store.replica import StoreReplica
from app.store.store import Store
from sync.client.ports import Answer
from sync.protocol.errors import Outcome, Rejection
from sync.protocol.messages import OpResult


def refuse_all(store: Store, hint: str = "Ask your manager.") -> int:
    """Refuse everything that waits; how much it was."""
    waiting = outbox.every(store.db)
    results = [
        OpResult(n=op.n, outcome=Outcome.REJECTED, code=Rejection.FORBIDDEN, hint=hint) for op in waiting
    ]
    here = store.here()
    StoreReplica(store).apply(Answer(here.cursor, waiting[-1].n, here.durable_seq, results=results))
    return len(waiting)


def take_all(store: Store) -> None:
    """Take everything that waits, so that the server knows of it."""
    here = store.here()
    StoreReplica(store).apply(Answer(here.cursor, here.next_n - 1, here.durable_seq))
