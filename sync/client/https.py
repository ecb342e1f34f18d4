"""Bytes over HTTPS: TLS 1.3, the organisation's own certificates and no others, total deadlines, bounded sizes.

Traps this room closes: libraries load the public CAs into a context given to them, and environment variables override
trust, route and credentials; a time-out of urllib3 counts between two bytes only; redirects carry headers along. Each
has a test. What needs urllib3 stands in `requesting`, which is imported with the first request: neither a list on the
screen nor a command without a server waits for it.
"""

from __future__ import annotations

import enum
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from sync.client.errors import NotOurServer, ServerRefused, Unreachable, unreachable
from sync.protocol.errors import KnownError
from sync.protocol.messages import HEALTH_PATH, ROOT_PATH
from sync.protocol.strict import DOCUMENT_MAX

if TYPE_CHECKING:
    import ssl

    from sync.client.requesting import Pool

_LOG = logging.getLogger("sync.client.https")
TOTAL_S: Final = 60.0
IDLE_S: Final = 2.0  # without a request; the exchanges of a round share a thread


class Sign(enum.Enum):
    """What a held line says besides bytes."""

    SENT = 1
    END = 2


Said = bytes | Sign | KnownError


def own_trust(ca_pem: list[str]) -> ssl.SSLContext:
    """TLS 1.3 with these certificates and no others; unlike the default context it never writes key logs."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    if ca_pem:
        context.load_verify_locations(cadata="\n".join(ca_pem))
    return context


class Https:
    """A transport to one server; safe to use from one thread at a time."""

    def __init__(self, url: str, trust: ssl.SSLContext, *, total_s: float = TOTAL_S) -> None:
        self.url = url.rstrip("/")
        self._context = trust
        self._total_s = total_s
        self._pool: Pool | None = None  # from the first request on
        self._lane = _Lane()

    def get(self, path: str) -> bytes:
        """The body of a GET. Raises Unreachable, NotOurServer, ServerRefused."""
        return self._begun("GET", path, None, {})()

    def post(self, path: str, body: bytes, headers: dict[str, str], media: str) -> bytes:
        """The body of the answer to a POST. Raises Unreachable, NotOurServer, ServerRefused."""
        return self.begin(path, body, headers, media)()

    def begin(self, path: str, body: bytes, headers: dict[str, str], media: str) -> Callable[[], bytes]:
        """Send a POST; what waits for the body of its answer, within the request's deadline, and raises as `post`."""
        said = {**headers, "Content-Type": media} if body else headers
        return self._begun("POST", path, body, said)

    def close(self) -> None:
        """Close the connection that was kept alive; another request would make another."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def _begun(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Callable[[], bytes]:
        """Run one request in another thread, since no setting of the library bounds the whole of it."""
        from sync.client import requesting  # with the first request: a list is on the screen by then

        pool, answer = self._pool or requesting.fresh(self.url, self._context), Future[bytes]()
        self._pool = pool
        target = urlsplit(self.url).path + path

        def work() -> None:
            try:
                answer.set_result(requesting.request(pool, self._total_s, method, target, body, headers))
            except BaseException as problem:  # noqa: BLE001 - handed to the caller below, whatever it is
                answer.set_exception(problem)

        self._lane.put(work)
        ends = time.monotonic() + self._total_s

        def wait() -> bytes:
            try:
                return answer.result(max(0.0, ends - time.monotonic()))
            except FutureTimeout:
                self._pool = None
                self._lane = _Lane()  # that one may hang for good
                pool.cut()
                pool.close()
                raise unreachable() from None

        return wait


class _Lane:
    """A thread that does one request after another, and ends when there was none for a while."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._runs = False

    def put(self, work: Callable[[], None]) -> None:
        """Have it do this next."""
        with self._lock:
            self._asked.put(work)
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="fieldkeep-https", daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                work = self._asked.get(timeout=IDLE_S)
            except queue.Empty:
                with self._lock:
                    if self._asked.empty():
                        self._runs = False
                        return
                continue
            work()
            del work  # an answer that nobody holds must not be kept by a thread that waits


class Held:
    """One answer that is held open: a thread reads it and tells of whatever comes, in that thread.

    Told are SENT when the request has gone out, each piece, END, or the error that ended it. Nobody here counts the
    time: who listens does, and ends it by `close`.
    """

    def __init__(
        self,
        url: str,
        trust: ssl.SSLContext,
        target: tuple[str, dict[str, str]],
        tell: Callable[[Held, Said], None],
        *,
        silent_s: float,
    ) -> None:
        self._url = url.rstrip("/")
        self._trust = trust
        self._target = target
        self._tell = tell
        self._silent_s = silent_s
        self._lock = threading.Lock()
        self._pool: Pool | None = None
        self._closed = False
        threading.Thread(target=self._read, name="fieldkeep-line", daemon=True).start()

    def close(self) -> None:
        """Let go of it, at once."""
        with self._lock:
            self._closed, pool = True, self._pool
        if pool is not None:
            pool.cut()

    def _read(self) -> None:
        from sync.client import requesting

        path, headers = self._target
        try:
            pool = requesting.fresh(self._url, self._trust)
            with self._lock:
                self._pool = pool
            target = urlsplit(self._url).path + path
            for piece in requesting.hold(pool, self._silent_s, target, headers, self._sent):
                self._tell(self, piece)
            self._tell(self, Sign.END)
        except KnownError as problem:
            self._tell(self, problem)
        except Exception as fault:  # noqa: BLE001 - whatever it is, who listens must hear that nothing more comes
            _LOG.exception("a held line ended with a fault: %s", type(fault).__name__)
            self._tell(self, unreachable())

    def _sent(self) -> None:
        self._tell(self, Sign.SENT)
        if self._closed:
            raise unreachable()  # there was nothing to cut yet


def fetch_root(url: str) -> bytes:
    """The root envelope of a server not known yet; what comes back is believed only by its digest in the code.

    Raises Unreachable.
    """
    import ssl

    from sync.client import requesting

    context = own_trust([])
    # The organisation's certificates stand in the very document asked for. Its digest came with the code, by
    # another way than this line, and is checked before a byte of it is used; nothing secret is sent.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    requesting.allow_unproven()
    line = Https(url, context, total_s=15.0)
    try:
        data = line.get(ROOT_PATH)
    finally:
        line.close()
    if len(data) > DOCUMENT_MAX:
        raise unreachable()
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
