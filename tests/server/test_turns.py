"""Turns of requests: order, an end to waiting, and no work for who has gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from sync.server import limits
from sync.server.errors import RequestProblem
from sync.server.turns import Turns


def asked(gone: asyncio.Event | None = None) -> Request:
    """A request whose body is read; its sender goes away when `gone` says so."""

    async def receive() -> dict[str, Any]:
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "path": "/", "headers": []}, receive)


def crowded(work: Callable[[Turns, threading.Event], Awaitable[None]]) -> None:
    """Run `work` while all threads are held by requests that go on once the event is set."""

    async def crowd() -> None:
        turns, go = Turns(), threading.Event()
        begun = threading.Semaphore(0)

        def hold(body: bytes) -> bytes:
            begun.release()
            go.wait(30)
            return body

        held = [asyncio.create_task(turns.run(asked(), hold, b"held")) for _ in range(limits.AT_ONCE)]
        for _ in held:
            await asyncio.to_thread(begun.acquire)
        try:
            await work(turns, go)
        finally:
            go.set()
            assert await asyncio.gather(*held) == [b"held"] * limits.AT_ONCE
            turns.threads.shutdown()

    asyncio.run(crowd())


def test_who_has_gone_is_not_worked_for() -> None:
    async def work(turns: Turns, go: threading.Event) -> None:
        done: list[bytes] = []
        gone = asyncio.Event()
        left = asyncio.create_task(turns.run(asked(gone), lambda body: done.append(body), b"left"))
        stays = asyncio.create_task(turns.run(asked(), lambda body: done.append(body), b"stays"))
        await asyncio.wait([left, stays], timeout=0)  # both begin to wait
        gone.set()
        assert turns.waiting == limits.AT_ONCE + 2
        go.set()
        await stays
        with pytest.raises(ClientDisconnect):
            await left
        assert done == [b"stays"]
        assert turns.waiting <= limits.AT_ONCE

    crowded(work)


def test_nobody_waits_for_longer_than_a_device_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few that each take long are a crowd as well as many that take a moment."""
    monkeypatch.setattr(limits, "PATIENCE_S", 1.0)

    async def work(turns: Turns, go: threading.Event) -> None:
        turns.look()
        turns._took = 2.0
        with pytest.raises(RequestProblem) as refused:
            turns.look()
        assert refused.value.trouble.retry_after == limits.RETRY_S

    crowded(work)


def test_who_is_sent_away_comes_back_behind_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAITING", 0)
    turns = Turns()
    turns._took = 1.0
    places = []
    for _ in range(500):
        with pytest.raises(RequestProblem) as refused:
            turns.look()
        places.append(refused.value.trouble.retry_after)
    assert places == sorted(places)
    assert places[0] == limits.RETRY_S
    apart = limits.TURNS_OF_ONE / limits.AT_ONCE  # seconds of work for each
    assert places[100] == pytest.approx(limits.RETRY_S + 100 * apart, abs=1)
    assert places[-1] == limits.RETRY_LAST_S
    turns.threads.shutdown()
