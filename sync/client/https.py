"""Bytes over HTTPS: TLS 1.3, the organisation's own certificates and no others, total deadlines, bounded sizes.

Traps this room closes: `requests` loads the public CAs into a context given to it, and environment variables
override the session's trust, route and credentials; a time-out of `requests` counts between two bytes only;
redirects carry headers along. Each has a test.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
import warnings
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Final
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter

from sync.client.errors import NotOurServer, ServerRefused, Unreachable
from sync.protocol import codec
from sync.protocol.documents import DOCUMENT_MAX
from sync.protocol.errors import BadFrames
from sync.protocol.messages import HEALTH_PATH, ROOT_PATH, TROUBLE, Trouble
from sync.protocol.texts import gettext as _

CONNECT_S: Final = 5.0
TOTAL_S: Final = 60.0
_PIECE: Final = 64 * 1024


def own_trust(ca_pem: list[str]) -> ssl.SSLContext:
    """TLS 1.3 with these certificates and no others; unlike the default context it never writes key logs."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if ca_pem:
        context.load_verify_locations(cadata="\n".join(ca_pem))
    return context


class _Pool(urllib3.HTTPSConnectionPool):
    """A pool that knows the connection it made last, so that a request under way can be ended."""

    made: Any = None

    def _new_conn(self) -> Any:
        self.made = super()._new_conn()
        return self.made


class _OwnTrust(HTTPAdapter):
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


class Https:
    """A transport to one server; safe to use from one thread at a time."""

    def __init__(self, url: str, trust: ssl.SSLContext, *, total_s: float = TOTAL_S) -> None:
        self.url = url.rstrip("/")
        self._context = trust
        self._total_s = total_s
        self._adapter, self._session = self._fresh()

    def get(self, path: str) -> bytes:
        """The body of a GET. Raises Unreachable, NotOurServer, ServerRefused."""
        return self._within_deadline("GET", path, None, {})

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """The body of the answer to a POST. Raises Unreachable, NotOurServer, ServerRefused."""
        return self._within_deadline("POST", path, body, {**headers, "Content-Type": media})

    def close(self) -> None:
        """Close the connection that was kept alive."""
        self._session.close()

    def _fresh(self) -> tuple[_OwnTrust, requests.Session]:
        session, adapter = requests.Session(), _OwnTrust(self._context)
        session.trust_env = False
        session.mount("https://", adapter)
        session.headers.clear()
        session.headers.update({"User-Agent": "Fieldkeep", "Accept-Encoding": "identity", "Accept": "*/*"})
        return adapter, session

    def _within_deadline(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
        """Run one request in a thread of its own, since no setting of the library bounds the whole of it."""
        adapter, session, answer = self._adapter, self._session, Future[bytes]()

        def work() -> None:
            try:
                answer.set_result(_request(session, self._total_s, method, self.url + path, body, headers))
            except BaseException as problem:  # noqa: BLE001 - handed to the caller below, whatever it is
                answer.set_exception(problem)

        threading.Thread(target=work, name="fieldkeep-https", daemon=True).start()
        try:
            return answer.result(self._total_s)
        except FutureTimeout:
            self._adapter, self._session = self._fresh()
            adapter.cut()
            session.close()
            raise _unreachable() from None


def fetch_root(url: str) -> bytes:
    """The root envelope of a server not known yet; what comes back is believed only by its digest in the code.

    Raises Unreachable.
    """
    context = own_trust([])
    # The organisation's certificates stand in the very document asked for. Its digest came with the code, by
    # another way than this line, and is checked before a byte of it is used; nothing secret is sent.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
    line = Https(url, context, total_s=15.0)
    try:
        data = line.get(ROOT_PATH)
    finally:
        line.close()
    if len(data) > DOCUMENT_MAX:
        raise _unreachable()
    return data


def reachable(url: str, ca_pem: list[str]) -> bool:
    """Whether the organisation's server answers right now."""
    line = Https(url, own_trust(ca_pem), total_s=5.0)
    try:
        return line.get(HEALTH_PATH).strip().lower() == b"ok"
    except (Unreachable, NotOurServer, ServerRefused):
        return False
    finally:
        line.close()


def _request(
    session: requests.Session,
    total_s: float,
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
) -> bytes:
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
        raise _unreachable() from None
    if status == 200:
        return data
    raise _refusal(status, media, data)


def _bounded(response: requests.Response, ends: float) -> bytes:
    """The undecoded body, given up as soon as it is larger than any message of ours, or too late."""
    data = bytearray()
    while piece := response.raw.read1(_PIECE, decode_content=False):
        data += piece
        if len(data) > codec.BODY_MAX or time.monotonic() > ends:
            raise _unreachable()
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length) != len(data):
        raise _unreachable()
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
    return _unreachable()


def _unreachable() -> Unreachable:
    return Unreachable(
        _("Could not reach the server."),
        _("Your changes are safe on this device and go out when there is a connection."),
    )
