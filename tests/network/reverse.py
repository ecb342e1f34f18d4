"""Boxes that see HTTP in clear, as a reverse proxy of IT's own does, with the organisation's certificate.

Each is a behaviour of the servers of `tests/client/servers.py`.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.client.servers import Asked, Behaviour, Talk

_PIECE: Final = 65_536
_OWN_TO_A_CONNECTION: Final = ("connection", "keep-alive")


def certificate(secrets: Path) -> ssl.SSLContext:
    """The TLS context of the organisation's own server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(secrets / "tls.crt", secrets / "tls.key")
    return context


def said(port: int, asked: Asked) -> Iterator[bytes]:
    """What the server on this port answers, piece by piece, until it closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    headers = {name: value for name, value in asked.headers.items() if name not in _OWN_TO_A_CONNECTION}
    lines = [
        f"{asked.method} {asked.target} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw, context.wrap_socket(raw) as line:
        line.sendall("\r\n".join([*lines, "connection: close", "", ""]).encode("latin-1") + asked.body)
        while piece := line.recv(_PIECE):
            yield piece


def passing(port: Callable[[], int]) -> Behaviour:
    """Passes everything on as it comes."""

    def behave(talk: Talk) -> None:
        for piece in said(port(), talk.asked):
            talk.send(piece)
        raise OSError  # the server has closed, so this line closes too

    return behave


def buffering(port: Callable[[], int]) -> Behaviour:
    """Passes an answer on once it has all of it: what comes bit by bit on a held line is never delivered."""

    def behave(talk: Talk) -> None:
        talk.send(b"".join(said(port(), talk.asked)))
        raise OSError

    return behave


@dataclass
class Once:
    """Does something to one request, when it is told to; passes all others on. `asked` holds every request."""

    port: Callable[[], int]
    waiting: Callable[[Once, Talk], None] | None = None
    asked: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def waits(self) -> bool:
        """Whether the request has not come yet."""
        return self.waiting is not None

    def __call__(self, talk: Talk) -> None:
        """One request."""
        with self._lock:
            self.asked.append(talk.asked)
            strike = self.waiting if talk.asked.target.endswith("/exchange") else None
            if strike is not None:
                self.waiting = None
        if strike is not None:
            strike(self, talk)
        else:
            passing(self.port)(talk)


def asked_twice(once: Once, talk: Talk) -> None:
    """The server hears the request a second time, and the laptop hears the first answer."""
    first = b"".join(said(once.port(), talk.asked))
    assert b"".join(said(once.port(), talk.asked)) != first
    talk.send(first)
    raise OSError


def second_answer(once: Once, talk: Talk) -> None:
    """The server hears the request twice, and the laptop hears the second answer."""
    list(said(once.port(), talk.asked))
    talk.send(b"".join(said(once.port(), talk.asked)))
    raise OSError


def cut_short(once: Once, talk: Talk) -> None:
    """Half of the answer comes, and then the line ends as if that were all."""
    whole = b"".join(said(once.port(), talk.asked))
    talk.send(whole[: len(whole) // 2])
    raise OSError


def without_its_end(once: Once, talk: Talk) -> None:
    """A box that mends lengths: half of the body, and a head that says that this is all."""
    head, _mark, body = b"".join(said(once.port(), talk.asked)).partition(b"\r\n\r\n")
    half = body[: len(body) // 2]
    kept = [
        line for line in head.split(b"\r\n") if not line.lower().startswith((b"content-length", b"transfer-"))
    ]
    talk.send(b"\r\n".join([*kept, b"content-length: %d" % len(half), b"", b""]) + half)
    raise OSError


def answer_of_before(once: Once, talk: Talk) -> None:
    """A cache: what was said to the request before is said again, and the server hears nothing."""
    before = next(each for each in once.asked if each.target == talk.asked.target)
    with contextlib.suppress(OSError):
        talk.send(b"".join(said(once.port(), before)))
    raise OSError


def sign_in_page(_once: Once, talk: Talk) -> None:
    """A page of a portal in the place of the answer, and 200."""
    page = b"<html><body>Please sign in</body></html>"
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(page) + page)


def never(_once: Once, talk: Talk) -> None:
    """The server has it not, and nobody says anything."""
    talk.over.wait(30)


def lost_answer(once: Once, talk: Talk) -> None:
    """The server has done all of it, and the answer is lost."""
    list(said(once.port(), talk.asked))
    raise OSError
