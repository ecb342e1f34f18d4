"""The routes: bytes in, bytes out. Bodies are read within a size and a time; every refusal is in our own words."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sync.protocol import codec, messages
from sync.protocol.errors import STATUS, BadFrames, KnownError, Problem, Refused
from sync.protocol.messages import Trouble
from sync.server import limits, logs
from sync.server.auth import Session
from sync.server.errors import RequestProblem, StoreError
from sync.server.events import Audience, Events
from sync.server.service import Service, trouble
from sync.server.turns import Turns

T = TypeVar("T")

Endpoint = Callable[[Request], Awaitable[Response]]

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
# Refusals that tell of a try to get in, and not of an old session after a restart.
_ALARMING = {"mac", "replayed", "signature", "another device", "number used twice"}


def routes(service: Service, events: Events | None = None) -> Starlette:
    """The application; `events` are the lines that it holds, for who has to end them."""
    turns = Turns()
    lines = events or held_lines(service)
    lines.in_work = lambda: turns.waiting

    async def root(request: Request) -> Response:
        return await _answer(request, turns, lambda body: service.root(), "application/json")

    async def enrol(request: Request) -> Response:
        address = request.client.host if request.client else ""
        return await _answer(request, turns, lambda body: service.enrol(body, address))

    def alone(work: Callable[[bytes], bytes]) -> Endpoint:
        """A request that proves itself."""

        async def asked(request: Request) -> Response:
            return await _answer(request, turns, work)

        return asked

    def within(work: Callable[[Mapping[str, str], str, bytes], bytes], *, brief: bool = False) -> Endpoint:
        """A request within a session; the answer to a `brief` one is a few bytes, and so is its head."""

        async def signed(request: Request) -> Response:
            headers = {name: request.headers.get(name, "") for name in _SIGNED}
            said = await _done(request, turns, lambda body: work(headers, _target(request), body))
            if isinstance(said, Response):
                return said
            return Response(said) if brief else _answered(said)  # of a POST, nobody keeps it

        return signed

    async def listen(request: Request) -> Response:
        return await _listen(request, turns, service, lines)

    @asynccontextmanager
    async def until_the_end(app: Starlette) -> AsyncIterator[None]:
        lines.start()
        service.store.heard = lines.hear
        yield
        await lines.stop()
        # What a thread has begun it finishes: a transaction is not left half-way.
        turns.threads.shutdown(wait=True)

    return Starlette(
        lifespan=until_the_end,
        routes=[
            Route(messages.ROOT_PATH, root, methods=["GET"]),
            Route(messages.ENROL_PATH, enrol, methods=["POST"]),
            Route(messages.STILL_PATH, within(service.still, brief=True), methods=["POST"]),
            *(Route(path, within(work), methods=["POST"]) for path, work in _within(service)),
            Route(messages.EVENTS_PATH, listen, methods=["GET"]),
            *(Route(path, alone(work), methods=["POST"]) for path, work in _alone(service)),
            Route(messages.HEALTH_PATH, _healthz, methods=["GET"]),
        ],
        exception_handlers={404: _nowhere, 405: _nowhere},
    )


async def _healthz(request: Request) -> Response:
    return PlainTextResponse("ok", headers=_HEADERS)


async def _nowhere(request: Request, error: Exception) -> Response:
    return _refusal(Trouble(problem=Problem.NOT_HERE))


def held_lines(service: Service) -> Events:
    """The lines of a server, none yet."""
    return Events(service.runs)


def _within(service: Service) -> list[tuple[str, Callable[[Mapping[str, str], str, bytes], bytes]]]:
    """What may be asked within a session, but for the brief one."""
    comparing = (messages.DIGEST_PATH, messages.BUCKET_PATH, messages.RECORDS_PATH)
    parts = [(messages.READY_PATH, service.offer), (messages.READY_PIECE_PATH, service.ready_piece)]
    each = [(path, service.compare) for path in comparing]
    return [
        (messages.EXCHANGE_PATH, service.exchange),
        (messages.BLOB_GET_PATH, service.blob_get),
        *parts,
        *each,
    ]


def _alone(service: Service) -> list[tuple[str, Callable[[bytes], bytes]]]:
    """What proves itself, whoever brings it."""
    return [
        (messages.SESSION_PATH, service.session),
        (messages.SEALED_PATH, service.sealed),
        (messages.BLOB_PUT_PATH, service.blob_put),
        (messages.RECEIPT_PATH, service.receipt),
    ]


_SIGNED = (messages.SESSION_HEADER, messages.COUNTER_HEADER, messages.MAC_HEADER)


async def _listen(request: Request, turns: Turns, service: Service, lines: Events) -> Response:
    """A line for a device that may have one."""
    if lines.full:
        return _refusal(Trouble(problem=Problem.BUSY, retry_after=limits.LINES_RETRY_S))
    headers = {name: request.headers.get(name, "") for name in _SIGNED}

    def admit(body: bytes) -> _Listening:
        session = service.listens(headers, _target(request))
        before = lines.changes
        audience = service.audience(session.enrolment)
        return _Listening(lines, audience, session, _wait(request), before)

    return await _done(request, turns, admit)


class _Listening(Response):
    """An answer that is held open until either end lets go; it costs no thread, and no task but its request's."""

    def __init__(
        self, events: Events, audience: Audience, session: Session, wait_s: int, changes: int
    ) -> None:
        """`changes` of the events are those from before the audience was looked up."""
        self._line = (audience, session)
        self._wait_s = wait_s
        self._events = events
        self._changes = changes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hold the line: who says what on it is `Events`; here is waited for its end."""
        line = self._events.join(*self._line, send, self._wait_s, self._changes)
        logs.note("listens", device=line.audience.enrolment, held=self._events.held, wait=self._wait_s)
        try:
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            self._events.leave(line)


def _target(request: Request) -> str:
    """Path and query, as they are signed."""
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


def _wait(request: Request) -> int:
    """For how many seconds a single event is waited for; 0 for a line that stays open."""
    asked = request.query_params.get("wait", "")
    return max(1, min(int(asked), messages.WAIT_S)) if asked.isascii() and asked.isdigit() else 0


async def _answer(
    request: Request, turns: Turns, work: Callable[[bytes], bytes], media: str = codec.MEDIA_TYPE
) -> Response:
    """What `work` answers, as a response."""
    data = await _done(request, turns, work)
    return data if isinstance(data, Response) else _answered(data, media)


def _answered(data: bytes, media: str = codec.MEDIA_TYPE) -> Response:
    return Response(data, media_type=media, headers=_HEADERS)


async def _done(request: Request, turns: Turns, work: Callable[[bytes], T]) -> T | Response:
    """Run `work` on the whole body in a thread, and turn whatever goes wrong into an answer of ours."""
    began = time.monotonic()
    try:
        turns.look()
        return await turns.run(request, work, await _body(request, turns))
    except RequestProblem as problem:
        return _told(request, problem.trouble, problem.why, began)
    except Refused as refused:
        said = Trouble(problem=Problem.BAD_REQUEST, title=refused.title, hint=refused.hint)
        return _told(request, said, refused.rule, began)
    except BadFrames as damage:
        said = Trouble(problem=Problem.BAD_REQUEST, title=damage.title, hint=damage.hint)
        return _told(request, said, "frames", began)
    except StoreError as error:
        logs.alarm("store", path=request.url.path, type=type(error).__name__)
        return _refusal(Trouble(problem=Problem.BUSY, retry_after=limits.RETRY_S))
    except ClientDisconnect:
        logs.note("gone", path=request.url.path)
        return Response(status_code=400)
    except KnownError as error:
        return _told(request, Trouble(problem=Problem.BAD_REQUEST, title=error.title), "known", began)
    except Exception as error:  # noqa: BLE001 - a fault of ours ends here, so that its text reaches nobody
        logs.fault("fault", error)
        return _refusal(Trouble(problem=Problem.BUSY, retry_after=limits.RETRY_S))


async def _body(request: Request, turns: Turns) -> bytes:
    """The whole body, read no further than the path allows and no longer than a request may take."""
    most = limits.BODY.get(request.url.path, 0)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > most:
        raise RequestProblem(Problem.TOO_BIG, why="declared size")
    if request.method == "GET":
        return b""  # it has none that counts
    seconds = limits.LAST_S if request.url.path in limits.LAST else limits.BODY_S
    try:
        async with asyncio.timeout(seconds):
            return await turns.receive(request, most)
    except TimeoutError:
        raise RequestProblem(Problem.BAD_REQUEST, why="too slow") from None


def _told(request: Request, said: Trouble, why: str, began: float) -> Response:
    took = int((time.monotonic() - began) * 1000)
    tell = logs.alarm if why in _ALARMING else logs.note
    tell("refused", path=request.url.path, problem=said.problem.value, why=why.replace(" ", "_"), ms=took)
    return _refusal(said)


def _refusal(said: Trouble) -> Response:
    headers = {**_HEADERS, "Retry-After": str(said.retry_after)} if said.retry_after else _HEADERS
    return Response(
        trouble(said), status_code=STATUS[said.problem], media_type=codec.MEDIA_TYPE, headers=headers
    )
