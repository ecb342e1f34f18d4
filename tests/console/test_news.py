"""The line that a page holds open: it says that there is something, carries nothing, and ends with the server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sync.console.web import news
from tests.console.visitor import PORT, ConsoleInside, Visitor
from tests.server.driver import Device


def _scope(path: str, visitor: Visitor) -> dict[str, Any]:
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "https",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("192.0.2.7", 5),
        "server": ("127.0.0.1", PORT),
        "headers": [(b"host", b"localhost:8444"), (b"cookie", cookie.encode())],
    }  # fmt: skip


def test_a_line_tells_of_news_and_ends_with_the_server(
    inside: ConsoleInside, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "LOOK_S", 0.02)
    monkeypatch.setattr(news, "BEAT", 2)
    laptop: Device = inside.device(inside.person("ana@example.com"), "LAP-0388")
    said: list[bytes] = []

    async def follow() -> None:
        told = asyncio.Event()
        alive = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        async def send(message: Any) -> None:
            body = message.get("body", b"")
            said.append(body)
            if b": here" in body:
                alive.set()
            if b"data: news" in body:
                told.set()

        line: asyncio.Task[None] = asyncio.create_task(
            inside.desk(_scope(f"/devices/{laptop.enrolment}/events", admin), receive, send)  # type: ignore[arg-type]
        )
        async with asyncio.timeout(20):
            await alive.wait()
            await asyncio.to_thread(inside.lock, laptop)
            await told.wait()
            inside.house.close()
            await line

    asyncio.run(follow())
    text = b"".join(said)
    assert text.startswith(b"retry: ")
    assert text.count(b"data: news") == 1
    assert laptop.name.encode() not in text
    assert laptop.enrolment.encode() not in text


def test_lines_are_for_who_has_signed_in_and_no_more_than_there_are(
    inside: ConsoleInside, admin: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop: Device = inside.device(inside.person("ana@example.com"), "LAP-0388")
    assert inside.visitor().get(f"/devices/{laptop.enrolment}/events").status == 403
    assert admin.get("/devices/" + "0" * 32 + "/events").status == 403
    monkeypatch.setattr(news, "LINES", 0)
    assert admin.get(f"/devices/{laptop.enrolment}/events").status == 503
