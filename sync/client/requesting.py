"""One request by urllib3: our own trust to the end, nothing from the environment, bounded and cut off when late.

The one room that imports urllib3, which takes longer to load than a list takes to show; so it is imported by `https`
with the first request to a server, and by nobody else.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from sync.client.errors import NotOurServer, ServerRefused, Unreachable, unreachable
from sync.protocol import codec
from sync.protocol.errors import BadFrames
from sync.protocol.messages import TROUBLE, Trouble
from sync.protocol.texts import gettext as _

CONNECT_S: Final = 5.0
_PIECE: Final = 64 * 1024
_OWN: Final = {"User-Agent": urllib3.util.SKIP_HEADER, "Accept-Encoding": "identity"}


class Pool(urllib3.HTTPSConnectionPool):
    """The connection to one server, kept alive; it knows the one that it made last, so that a request under way can be
    ended."""

    made: Any = None
    _held: Any = None  # the socket of an answer that is held open: the connection forgets it once it is read

    def _new_conn(self) -> Any:
        self.made = super()._new_conn()
        return self.made

    def dialled(self) -> Any:
        """A connection of its own that is made already, for an answer that is held open."""
        line = self._new_conn()
        line.timeout = CONNECT_S
        line.connect()
        self._held = line.sock
        return line

    def cut(self) -> None:
        """End the request under way: whoever waits for its next byte is told that none comes."""
        line = self._held or getattr(self.made, "sock", None)
        if line is not None:
            with contextlib.suppress(OSError):  # it has ended by itself
                # Past ssl's own shutdown, which would take the TLS layer from under the thread that reads.
                socket.socket.shutdown(line, socket.SHUT_RDWR)


def fresh(url: str, context: ssl.SSLContext) -> Pool:
    """Connections to the server of `url` that believe `context` and nothing else.

    Raises Unreachable for an address that is none of a TLS server.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise unreachable() from None
    if parts.scheme != "https" or not host:
        raise unreachable()
    return Pool(host, port, maxsize=1, retries=False, ssl_context=context)


def allow_unproven() -> None:
    """Do not warn of a server that is not proven: what it says is held against a digest that came another way."""
    warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)


def request(
    pool: Pool, total_s: float, method: str, target: str, body: bytes | None, headers: dict[str, str]
) -> bytes:
    """The body of one answer. Raises Unreachable, NotOurServer, ServerRefused."""
    ends = time.monotonic() + total_s
    with _foreign_errors():
        response = pool.urlopen(
            method,
            target,
            body=body,
            headers={**_OWN, **headers},
            timeout=urllib3.Timeout(connect=CONNECT_S, read=total_s),
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
    with _foreign_errors(proven=True):
        try:
            data = _bounded(response, ends)
        finally:
            response.close()  # what was read to its end has given its connection back
    if response.status == 200:
        return data
    raise _refusal(response.status, response.headers.get("Content-Type", ""), data)


def hold(
    pool: Pool, silent_s: float, target: str, headers: dict[str, str], sent: Callable[[], None]
) -> Iterator[bytes]:
    """What comes of an answer that is held open, as it comes; `sent` is called when the request has gone out.

    Raises Unreachable, NotOurServer, ServerRefused. Whoever asks counts the time, and ends it by `pool.cut`.
    """
    with _foreign_errors():
        line = pool.dialled()
    response = None
    with _foreign_errors(proven=True):
        try:
            line.timeout = silent_s
            line.request(
                "GET", target, headers={**_OWN, **headers}, preload_content=False, decode_content=False
            )
            sent()
            response = line.getresponse()
            if response.status != 200:
                media = response.headers.get("Content-Type", "")
                raise _refusal(response.status, media, _bounded(response, time.monotonic() + silent_s))
            while piece := response.read1(_PIECE, decode_content=False):
                yield piece
        finally:
            if response is not None:
                response.close()
            line.close()


@contextlib.contextmanager
def _foreign_errors(*, proven: bool = False) -> Iterator[None]:
    """Errors of the libraries as ours; once the server is `proven`, what goes wrong with TLS is a line that was cut."""
    try:
        yield
    except (urllib3.exceptions.SSLError, ssl.SSLError):
        if proven:
            raise unreachable() from None
        raise NotOurServer(
            _("The server could not prove that it belongs to your organisation."),
            _("Your changes are safe on this device. Try another network, or ask IT."),
        ) from None
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError):
        raise unreachable() from None


def _bounded(response: urllib3.BaseHTTPResponse, ends: float) -> bytes:
    """The undecoded body, given up as soon as it is larger than any message of ours, or too late."""
    data = bytearray()
    while piece := response.read1(_PIECE, decode_content=False):
        data += piece
        if len(data) > codec.BODY_MAX or time.monotonic() > ends:
            raise unreachable()
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) != len(data):
        raise unreachable()
    return bytes(data)


def _refusal(status: int, media: str, data: bytes) -> Unreachable | ServerRefused:
    """What a failed answer means; anything not in our own words is somebody between us and the server."""
    if media.startswith(codec.MEDIA_TYPE):
        try:
            frames = codec.decode(data)
            trouble = codec.read(frames[0][1], Trouble) if frames and frames[0][0] == TROUBLE else None
        except BadFrames:
            trouble = None
        if trouble is not None:
            title = trouble.title or _("The server refused the request ({problem}).").format(
                problem=trouble.problem.value
            )
            return ServerRefused(trouble, title, trouble.hint)
    return unreachable()
