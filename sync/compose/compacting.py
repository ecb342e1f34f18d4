"""Forgets what is old enough: once a day beside the exchanges of a running server, or when somebody asks for it."""

from __future__ import annotations

import asyncio
from typing import Final

from sync.protocol.errors import KnownError
from sync.server import forgetting, logs
from sync.server.db.base import Store
from sync.server.forgetting import DAY_MS, Forgotten
from sync.server.service import system_now

PAUSE_S: Final = 0.05  # after each transaction, in which whoever waits to write has the store
_LOOK_S: Final = 600.0  # a machine may sleep: the day is looked for in the store, not waited for


def whole(store: Store, days: int) -> Forgotten:
    """One run, without a pause: nobody else has the store."""
    return list(forgetting.forget(store, system_now(), days))[-1]


async def daily(store: Store, days: int) -> None:
    """A run a day, for as long as the server runs."""
    while True:
        try:
            if await asyncio.to_thread(_due, store):
                await _gently(store, days)
        except KnownError as problem:
            logs.alarm("forgetting", problem=type(problem).__name__)
        await asyncio.sleep(_LOOK_S)


async def _gently(store: Store, days: int) -> None:
    steps, done = forgetting.forget(store, system_now(), days), Forgotten()
    while (step := await asyncio.to_thread(next, steps, None)) is not None:
        done = step
        await asyncio.sleep(PAUSE_S)
    logs.note("forgotten", changes=done.changes, records=done.records, results=done.results)


def _due(store: Store) -> bool:
    with store.read() as tx:
        return system_now() - tx.histories.folded()[1] >= DAY_MS
