"""Serves as `fieldkeep-server` of the tree that PYTHONPATH names, and writes each request and answer into a file.

It is run as a file of its own, `tap.py FILE serve …`, and imports nothing of today's tests: of that version it needs
no more than where it makes its application.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any


class Tap:
    """The application, listened to."""

    def __init__(self, app: Any, out: Path) -> None:
        self._app = app
        self._out = out

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """One request, one line of JSON; bytes in hex."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        up, down, status = bytearray(), bytearray(), [0]

        async def received() -> Any:
            message = await receive()
            up.extend(message.get("body", b""))
            return message

        async def sent(message: Any) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            down.extend(message.get("body", b""))
            await send(message)

        await self._app(scope, received, sent)
        query = scope["query_string"].decode()
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        said = {
            "at": time.time_ns() // 1_000_000,
            "method": scope["method"],
            "target": scope["path"] + (f"?{query}" if query else ""),
            "headers": {name: value for name, value in headers.items() if name.startswith("fieldkeep-")},
            "up": up.hex(),
            "status": status[0],
            "down": down.hex(),
        }
        with self._out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(said) + "\n")


def main() -> int:
    """Serve until told to stop."""
    from sync.compose import server, serving

    serve: Any = serving  # whatever the types of that version say
    out, words, whole = Path(sys.argv[1]), sys.argv[2:], serve.routes

    def routes(*parts: Any) -> Any:
        return Tap(whole(*parts), out)

    serve.routes = routes
    return int(server.main(words))


if __name__ == "__main__":
    sys.exit(main())
