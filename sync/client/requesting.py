"""One request by `requests`: our own trust to the end, nothing from the environment, bounded and cut off when late.

The one room that imports `requests` and urllib3, which take longer to load than a list takes to show; so it is
imported by `https` with the first line to a server, and by nobody else.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
import warnings
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sync.client.errors import NotOurServer, ServerRefused, Unreachable, unreachable
from sync.protocol import codec
from sync.protocol.errors import BadFrames
from sync.protocol.messages import TROUBLE, Trouble
from sync.protocol.texts import gettext as _

CONNECT_S: Final = 5.0
_PIECE: Final = 64 * 1024


class _Pool(urllib3.HTTPSConnectionPool):
    """A pool that knows the connection it made last, so that a request under way can be ended."""

    made: Any = None

    def _new_conn(self) -> Any:
        self.made = super()._new_conn()
        return self.made


class OwnTrust(HTTPAdapter):
    """An adapter whose TLS context is ours to the end: `requests` may add nothing to it."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"https": _Pool}

    def cut(self) -> None:
        """End the request under way: whoever waits for its next byte is told that none comes."""
        for key in self.poolmanager.pools.keys():  # noqa: SIM118 - urllib3's container has no plain iteration
            line = getattr(self.poolmanager.pools.get(key), "made", None)
            if line is not None and line.sock is not None:
                with contextlib.suppress(OSError):  # it has ended by itself
                    # Past ssl's own shutdown, which would take the TLS layer from under the thread that reads.
                    socket.socket.shutdown(line.sock, socket.SHUT_RDWR)

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        parts = urlsplit(str(request.url))
        host = {"scheme": parts.scheme, "host": parts.hostname or "", "port": parts.port}
        return host, {"ssl_context": self._context}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Leave the connection as the context made it."""


def fresh(context: ssl.SSLContext) -> tuple[OwnTrust, requests.Session]:
    """A session that believes `context` and nothing else, and the adapter that can end its request."""
    session, adapter = requests.Session(), OwnTrust(context)
    session.trust_env = False
    session.mount("https://", adapter)
    session.headers.clear()
    session.headers.update({"User-Agent": "Fieldkeep", "Accept-Encoding": "identity", "Accept": "*/*"})
    return adapter, session


def allow_unproven() -> None:
    """Do not warn of a server that is not proven: what it says is held against a digest that came another way."""
    warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)


def request(
    session: requests.Session,
    total_s: float,
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
) -> bytes:
    """The body of one answer. Raises Unreachable, NotOurServer, ServerRefused."""
    ends = time.monotonic() + total_s
    try:
        with session.request(
            method,
            url,
            data=body,
            headers=headers,
            timeout=(CONNECT_S, total_s),
            allow_redirects=False,
            stream=True,
        ) as response:
            data = _bounded(response, ends)
            status, media = response.status_code, response.headers.get("Content-Type", "")
    except requests.exceptions.SSLError:
        raise NotOurServer(
            _("The server could not prove that it belongs to your organisation."),
            _("Your changes are safe on this device. Try another network, or ask IT."),
        ) from None
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError):
        raise unreachable() from None
    if status == 200:
        return data
    raise _refusal(status, media, data)


def _bounded(response: requests.Response, ends: float) -> bytes:
    """The undecoded body, given up as soon as it is larger than any message of ours, or too late."""
    data = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
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
